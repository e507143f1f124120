"""Errors of the toolkit."""

from __future__ import annotations


class ClientError(Exception):
    """What the user's code or request did."""


class ChannelDoesNotExistException(Exception):  # noqa: N818  # AWS's name
    """A channel that the job lacks."""

    def __init__(self, channel_name: str) -> None:
        super().__init__(f"Channel {channel_name} is not a valid channel")


class UnsupportedFormatError(Exception):
    """A content type that only the model's own code could read or write."""

    status_code = 415

    def __init__(self, content_type: str) -> None:
        self.message = (
            f"Content type {content_type} is not supported by this framework.\n\n"
            "Please implement input_fn to to deserialize the request data or an output_fn to\n"
            "serialize the response. For more information, see the SageMaker Python SDK README."
        )
        super().__init__(self.message)
