"""Whether a store answers."""

from pydantic import Field

from api.schemas.base import Answer, example


class ConnectionAnswer(Answer):
    """Whether the store answers and accepts its credentials. Nothing else is told."""

    model_config = Answer.model_config | example({"connected": True})

    connected: bool = Field(description="Found out at most a minute ago")
