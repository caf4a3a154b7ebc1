"""A spec's field that names a part: a string or an object in, the part's settings within, an object out."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler, SerializationInfo, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from core.registry import PartSettings, Registry


class Choice:
    """The annotation that validates a field by a registry, looked up at each use: packages may add parts."""

    def __init__(
        self,
        registry: Registry,
        choose: Callable[[Any, Any], PartSettings] | None = None,
        *,
        briefly: bool = False,
    ) -> None:
        """`choose` stands in for the registry's own: it is given the value and the context of the validation.

        Layers, which may hold layers, are drawn `briefly`, by their names: the schema would have no end.
        """
        self._registry = registry
        self._briefly = briefly
        self._choose = choose or (lambda value, _: registry.choose(value))

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> CoreSchema:
        """Validate by the registry; write out every setting of the chosen part."""
        return core_schema.with_info_plain_validator_function(
            lambda value, info: self._choose(value, info.context),
            serialization=core_schema.plain_serializer_function_ser_schema(_written, info_arg=True),
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The union of the parts' settings, told apart by name; on the way in also a plain name."""
        names = self._registry.names()
        if self._briefly:
            named = {"type": "object", "properties": {"name": {"type": "string", "enum": names}}, "required": ["name"]}
            return named if handler.mode == "serialization" else {"anyOf": [{"type": "string", "enum": names}, named]}
        union: Any = reduce(or_, [self._registry.get(name).settings for name in names])
        told = Field(discriminator="name") if len(names) > 1 else Field()
        objects = handler(TypeAdapter[Any](Annotated[union, told]).core_schema)
        if handler.mode == "serialization":
            return objects
        return {"anyOf": [{"type": "string", "enum": names}, objects]}


def _written(chosen: PartSettings, info: SerializationInfo) -> dict[str, Any]:
    return chosen.model_dump(mode="json" if info.mode_is_json() else "python")
