"""A setting that also takes a word in place of its value, and is told of both when it gets neither."""

from __future__ import annotations

from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class OrWord:
    """The annotation with which a field takes `word` beside what it takes already, which is `value` in a sentence."""

    def __init__(self, word: str, *, value: str) -> None:
        self._word = word
        self._value = value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Any string is judged as the word, all else as the value: so there is one problem to tell, not two."""
        told = f'give {self._value}, or "{self._word}"'
        word = core_schema.custom_error_schema(
            core_schema.literal_schema([self._word]), custom_error_type="word_type", custom_error_message=told
        )
        return core_schema.tagged_union_schema(
            {"value": handler(source), "word": word}, lambda given: "word" if isinstance(given, str) else "value"
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The value's schema, or the word."""
        value = handler(schema["choices"]["value"])
        word = {"const": self._word, "type": "string"}
        return {"anyOf": [*value["anyOf"], word]} if "anyOf" in value else {"anyOf": [value, word]}
