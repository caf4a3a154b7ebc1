"""A setting that also takes a word in place of its value, and is told of both when it gets neither."""

from __future__ import annotations

from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidatorFunctionWrapHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


class OrWord:
    """The annotation with which a field takes `word` beside what it takes already, which is `value` in a sentence."""

    def __init__(self, word: str, *, value: str) -> None:
        self._word = word
        self._value = value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Any string is judged as the word, all else as the value: so there is one problem to tell, not two."""
        as_it_is = core_schema.plain_serializer_function_ser_schema(lambda value: value)
        return core_schema.no_info_wrap_validator_function(self._judged, handler(source), serialization=as_it_is)

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The value's schema, or the word."""
        value = handler(schema["schema"])
        return {"anyOf": [*value.get("anyOf", [value]), {"const": self._word, "type": "string"}]}

    def _judged(self, given: Any, as_value: ValidatorFunctionWrapHandler) -> Any:
        if not isinstance(given, str):
            return as_value(given)
        if given != self._word:
            told = {"value": self._value, "word": self._word}
            raise PydanticCustomError("word_type", 'give {value}, or "{word}"', told)
        return given
