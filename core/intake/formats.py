"""Which format a file has: its name says so, and its first bytes must agree."""

from __future__ import annotations

from pathlib import Path, PurePath

from core.dataset import Format
from core.intake.places import refused, shown

NAMES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".npz": "npz",
    ".npy": "npy",
    ".zip": "zip",
    ".txt": "txt",
    ".safetensors": "safetensors",
}
_TEXT: frozenset[Format] = frozenset({"csv", "tsv", "jsonl", "txt"})
TITLES: dict[Format, str] = {
    "csv": "comma-separated values",
    "tsv": "tab-separated values",
    "parquet": "Parquet",
    "arrow": "Arrow",
    "jsonl": "one JSON object per line",
    "npz": "NumPy arrays",
    "npy": "a NumPy array",
    "zip": "a zip archive",
    "txt": "plain text",
    "safetensors": "weights as safetensors",
}
_SIGNS: tuple[tuple[bytes, Format], ...] = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow"),  # a stream, as Hugging Face's datasets keeps its tables
    (b"\x93NUMPY", "npy"),
    (b"PK\x03\x04", "zip"),
)
_PICKLED = frozenset({".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle"})
_NO_PICKLES = (
    "Files of this kind hold pickles, which are code, so they are never read. Save weights by "
    "safetensors.torch.save_file as .safetensors, and data as Parquet or NPZ."
)
_A_PICKLE = f"It is a pickle. {_NO_PICKLES}"
_STRANGERS: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "It is packed by gzip: unpack it first."),
    (b"BZh", "It is packed by bzip2: unpack it first."),
    (b"\xfd7zXZ", "It is packed by xz: unpack it first."),
    (b"\x28\xb5\x2f\xfd", "It is packed by zstd: unpack it first."),
    (b"\x80\x02", _A_PICKLE),
    (b"\x80\x03", _A_PICKLE),
    (b"\x80\x04", _A_PICKLE),
    (b"\x80\x05", _A_PICKLE),
    (b"\x89HDF", "It is HDF5: save the data as Parquet or NPZ."),
    (b"\xd0\xcf\x11\xe0", "It is an Excel workbook: save the sheet as CSV."),
    (b"%PDF", "It is a PDF, not a table."),
    (b"\x89PNG", "It is a single picture: zip folders of pictures, one folder per class."),
    (b"\xff\xd8\xff", "It is a single picture: zip folders of pictures, one folder per class."),
    (b"\xff\xfe", "It is text in UTF-16: save it as UTF-8."),
    (b"\xfe\xff", "It is text in UTF-16: save it as UTF-8."),
    (b"SQLite format 3", "It is a database: export the table as CSV."),
)
_HEAD = 4096


def format_of(path: Path, filename: str) -> Format:
    """The file's format. Raises DataRefused for an empty file, an unknown one, and a name that says another format."""
    with path.open("rb") as opened:
        head = opened.read(_HEAD)
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise refused("The file is empty.")
    signed = _signed(head, path)
    suffix = PurePath(filename).suffix.lower()
    named = NAMES.get(suffix)
    if suffix in _PICKLED and signed is None:
        raise refused(f"Its name ends in {shown(suffix)}. {_NO_PICKLES}")
    if named is None:
        known = f"It looks like {TITLES[signed]}; name" if signed else "Name"
        ends = f"ends in {shown(suffix)}" if suffix else "has no ending"
        raise refused(f"Its name {ends}. {known} it by what it holds: {', '.join(NAMES)}.")
    if signed is None and named not in _TEXT:
        raise refused(f"Its name ends in {suffix}, but it is not {TITLES[named]}, or the beginning of it is missing.")
    if signed is not None and signed != named:
        raise refused(f"Its name ends in {suffix}, but it holds {TITLES[signed]}: name it .{signed}.")
    if signed is None:
        _judge_text(head, suffix)
    return named


def _signed(head: bytes, path: Path) -> Format | None:
    if _begins_as_safetensors(head):  # first: a header of 640 bytes begins with the sign of a pickle
        return "safetensors"
    for sign, message in _STRANGERS:
        if head.startswith(sign):
            raise refused(message)
    for sign, format_ in _SIGNS:
        if head.startswith(sign):
            return _zipped(path) if format_ == "zip" else format_
    return None


def _begins_as_safetensors(head: bytes) -> bool:
    """Whether it has no sign but a length in eight bytes, little-endian and of some MB at most, and then an object."""
    return head[8:9] == b"{" and head[4:8] == bytes(4)


def _zipped(path: Path) -> Format:
    """What a zip holds, by the names of its first entries as they stand in the file itself."""
    first = _first_name(path)
    if first.endswith(".npy"):
        return "npz"
    if first in {"[Content_Types].xml", "_rels/.rels"}:
        raise refused("It is an Excel workbook or another Office file: save the sheet as CSV.")
    if first.endswith("/data.pkl"):
        raise refused(f"It is a file of torch.save. {_NO_PICKLES}")
    return "zip"


def _first_name(path: Path) -> str:
    with path.open("rb") as opened:
        head = opened.read(30 + 1024)
    size = int.from_bytes(head[26:28], "little")
    return head[30 : 30 + size].decode(errors="replace")


def _judge_text(head: bytes, suffix: str) -> None:
    if b"\x00" in head:
        raise refused(f"Its name ends in {suffix}, but it holds bytes that are no text: NUL among them.")
    if NAMES[suffix] == "txt":
        return
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] == b"<":
        raise refused("It is HTML or XML: perhaps a page that answered in place of the file.")
    if NAMES[suffix] == "jsonl":
        if start[:1] == b"[":
            raise refused("It is one JSON list: write one object per line, without brackets and commas around them.")
        if start[:1] != b"{":
            raise refused(f"Its name ends in {suffix}, but it does not begin with a JSON object.")
    elif start[:2] == b'{"':
        raise refused(f"Its name ends in {suffix}, but it holds JSON: name it .jsonl.")
