"""Lets Spark read and write S3: a server of WebHDFS, which Hadoop's client speaks, in front of a job's S3.

pip's pyspark has no Hadoop client for S3, and this one in place of it. The server listens on this host alone, and takes
only paths that begin with a secret of its own.
"""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from smspark.s3_folders import FileStatus, S3Folders

SCHEMES = ("s3", "s3a", "s3n")
_OVERLOADED = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
_CLIENT = "org.apache.hadoop.hdfs.web.WebHdfsFileSystem"
_COMMITTER_CLASS = "org.apache.hadoop.mapreduce.lib.output.FileOutputCommitterFactory"
_COMMITTER = "spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3a"
_ROOT = "/webhdfs/v1/"
_STEP = "step"
_BLOCK = 64 << 20
_NO_TOKEN = "AAAAAA"  # noqa: S105  # identifier, password, kind and service, all empty
_DENIED = ("AccessDenied", "403")


class UnsupportedOperationError(Exception):
    """An operation of WebHDFS that S3 has nothing for."""


@dataclass(frozen=True)
class Gateway:
    """A server that runs; its root is the address of all buckets."""

    port: int
    secret: str = field(repr=False)

    def settings(self, buckets: Sequence[str]) -> dict[str, str]:
        """The settings by which addresses in these buckets lead here."""
        root, table = f"webhdfs://127.0.0.1:{self.port}/{self.secret}", "spark.hadoop.fs.viewfs.mounttable"
        links = {f"{table}.{bucket}.linkFallback": f"{root}/{bucket}" for bucket in buckets}
        schemes = {f"spark.hadoop.fs.{scheme}.impl": _OVERLOADED for scheme in SCHEMES}
        # Of another bucket, its client says that there is no such host.
        others = {f"spark.hadoop.fs.viewfs.overload.scheme.target.{scheme}.impl": _CLIENT for scheme in SCHEMES}
        return {**schemes, **links, **others, _COMMITTER: _COMMITTER_CLASS}


@contextmanager
def serving(folders: S3Folders) -> Iterator[Gateway]:
    """Serve until the block ends."""
    secret = secrets.token_urlsafe()

    class FolderHandler(_Handler):
        operations = Operations(folders)
        root = f"{_ROOT}{secret}/"

    with ThreadingHTTPServer(("127.0.0.1", 0), FolderHandler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Gateway(server.server_address[1], secret)
        server.shutdown()


@dataclass(frozen=True)
class Operations:
    """The operations whose answers are documents."""

    folders: S3Folders

    def answer(self, name: str, path: str, given: Mapping[str, str], root: str) -> Mapping[str, Any]:
        """The document of an operation."""
        operations: Mapping[str, Callable[[], Mapping[str, Any]]] = {
            "GETFILESTATUS": lambda: {"FileStatus": _document(self.folders.status(path), "")},
            "LISTSTATUS": lambda: self._listing(path),
            "LISTSTATUS_BATCH": lambda: {
                "DirectoryListing": {"partialListing": self._listing(path), "remainingEntries": 0}
            },
            "GET_BLOCK_LOCATIONS": lambda: _blocks(self.folders.status(path).size),
            "MKDIRS": lambda: self._made(path),
            "RENAME": lambda: self._renamed(path, given, root),
            "DELETE": lambda: {"boolean": self.folders.delete(path, is_recursive=given.get("recursive") == "true")},
            **dict.fromkeys(("SETPERMISSION", "SETOWNER", "SETTIMES"), dict),
            "SETREPLICATION": lambda: {"boolean": True},
        }
        if name not in operations:
            raise UnsupportedOperationError(f"{name} is not supported for objects in S3")
        return operations[name]()

    def _listing(self, path: str) -> Mapping[str, Any]:
        statuses = self.folders.listing(path)
        return {"FileStatuses": {"FileStatus": [_document(status, status.name) for status in statuses]}}

    def _made(self, path: str) -> Mapping[str, Any]:
        self.folders.make(path)
        return {"boolean": True}

    def _renamed(self, path: str, given: Mapping[str, str], root: str) -> Mapping[str, Any]:
        target = given["destination"].removeprefix("/" + root.removeprefix(_ROOT)).strip("/")
        if "OVERWRITE" in given.get("renameoptions", ""):
            self.folders.delete(target, is_recursive=False)
        return {"boolean": self.folders.rename(path, target)}


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    operations: Operations
    root: str

    def do_GET(self) -> None:
        self._answer()

    do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815

    def log_message(self, *words: Any) -> None:
        """Say nothing of requests."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        path, name = unquote(parts.path), given.get("op", "").upper()
        if name == "GETHOMEDIRECTORY":
            self._written(200, {"Path": "/"})
            return
        if not path.startswith(self.root):
            self._refused(403, "SecurityException", "this is not a path of this server")
            return
        path = path.removeprefix(self.root).strip("/")
        try:
            if name in ("OPEN", "CREATE"):
                self._content(name, path, given)
            else:
                self._written(200, self.operations.answer(name, path, given, self.root))
        except FileNotFoundError as error:
            self._refused(404, "FileNotFoundException", str(error))
        except UnsupportedOperationError as error:
            self._refused(400, "UnsupportedOperationException", str(error))
        except ClientError as error:
            is_denied = error.response["Error"]["Code"] in _DENIED
            self._refused(403, "AccessControlException" if is_denied else "IOException", str(error))
        except (OSError, BotoCoreError) as error:
            self._refused(403, "IOException", str(error))

    def _content(self, name: str, path: str, given: Mapping[str, str]) -> None:
        """Clients ask twice: the first answer redirects them to a host, which is this one."""
        if _STEP not in given:
            self.send_response(307)
            self.send_header("Location", f"http://{self.headers['Host']}{self.path}&{_STEP}=2")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if name == "OPEN":
            length = int(given["length"]) if "length" in given else None
            body, size = self.operations.folders.read(path, int(given.get("offset", 0)), length)
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            if body is not None:
                shutil.copyfileobj(body, self.wfile)
            return
        with tempfile.TemporaryFile() as file:
            self._receive(file)
            file.seek(0)
            self.operations.folders.write(path, file)
        self._written(201, {})

    def _receive(self, file: IO[bytes]) -> None:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            file.write(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            return
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            file.write(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def _refused(self, status: int, name: str, message: str) -> None:
        package = {"AccessControlException": "org.apache.hadoop.security", "SecurityException": "java.lang"}
        package["UnsupportedOperationException"] = "java.lang"
        java = f"{package.get(name, 'java.io')}.{name}"
        self._written(status, {"RemoteException": {"exception": name, "javaClassName": java, "message": message}})

    def _written(self, status: int, document: Mapping[str, Any]) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _document(status: FileStatus, name: str) -> Mapping[str, Any]:
    kind = ("DIRECTORY", "755") if status.is_folder else ("FILE", "644")
    return {
        "pathSuffix": name,
        "type": kind[0],
        "permission": kind[1],
        "length": status.size,
        "modificationTime": status.milliseconds,
        "accessTime": status.milliseconds,
        "blockSize": _BLOCK,
        "replication": 1,
        "owner": "",
        "group": "",
    }


def _blocks(size: int) -> Mapping[str, Any]:
    """Where the parts of a file are, which is here: clients split files between such blocks."""
    blocks = [_block(start, min(_BLOCK, size - start)) for start in range(0, size, _BLOCK)]
    last = {"lastLocatedBlock": blocks[-1]} if blocks else {"lastLocatedBlock": None}
    whole = {"fileLength": size, "isLastBlockComplete": True, "isUnderConstruction": False}
    return {"LocatedBlocks": {**whole, "locatedBlocks": blocks, **last}}


def _block(start: int, size: int) -> Mapping[str, Any]:
    block = {"blockId": 1, "blockPoolId": "s3", "generationStamp": 1, "numBytes": size}
    place: Mapping[str, Any] = {"locations": [], "cachedLocations": [], "storageTypes": []}
    return {"block": block, "blockToken": {"urlString": _NO_TOKEN}, "isCorrupt": False, "startOffset": start, **place}
