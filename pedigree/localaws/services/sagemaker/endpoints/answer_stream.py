"""An answer that comes in pieces: what it occupies is given back once, whether all of it was taken or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pedigree.localaws.services.sagemaker.endpoints.server_reply import Reply
from pedigree.localaws.services.sagemaker.resources.model_containers import PRIMARY


class AnswerStream:
    """The pieces of an answer, as they come; OSError if no more come before its end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._when_over: list[Callable[[], None]] = []
        self._is_over = False
        self.is_whole = False

    def when_over(self, callback: Callable[[], None]) -> None:
        """Call back when nothing more is taken."""
        self._when_over.append(callback)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except StopIteration:
            self.is_whole = True
            self.close()
            raise
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Take no more of it."""
        if not self._is_over:
            self._is_over = True
            for callback in self._when_over:
                callback()


@dataclass(frozen=True)
class StreamedReply:
    """A model server's answer whose content comes in pieces, and the container that gives it."""

    status: int
    content_type: str
    stream: AnswerStream
    container: str = PRIMARY

    @classmethod
    def of(cls, reply: Reply) -> StreamedReply:
        """A reply that has come whole."""
        return cls(reply.status, reply.content_type, AnswerStream(iter((reply.content,))), reply.container)

    def whole(self) -> Reply:
        """The reply with all of its content."""
        return Reply(self.status, self.content_type, b"".join(self.stream), 0.0, self.container)
