"""The storage service: buckets, and the files in them."""

from __future__ import annotations

from msgspec import UNSET

from jackfield import AsyncClient, Client, ProgressCallback, Request, Response, Url, operation, streamed
from jackfield_plugins.streaming import Download, Part
from jackfield_plugins.uploads import MultipartForm, body_of

from ._downloading import check_chunk_size, checked, chunked, measured, named
from ._errors import HubAPIError
from ._model import UNSET_T, Id
from ._reading import read_list
from ._resource import Resource
from ._service import HubService
from ._storage_models import Bucket, BucketFile, CreateBucket
from ._telling import id_of
from ._uploading import parts_of, taken, time_for
from .types import AuthParam, UploadFile

BUCKETS = Resource("buckets", Bucket)
BUCKET_FILES = Resource("bucket-files", BucketFile)


class StorageService(HubService):
    """The storage service of a FLAME Hub."""

    _default_base_url = "https://storage.privateaim.dev"
    _collection = BUCKETS.path

    get_buckets = BUCKETS.find()
    find_buckets = BUCKETS.find()
    get_bucket = BUCKETS.get("bucket_id")
    create_bucket = BUCKETS.create(CreateBucket)
    delete_bucket = BUCKETS.delete("bucket_id")

    get_bucket_files = BUCKET_FILES.find()
    find_bucket_files = BUCKET_FILES.find()
    get_bucket_file = BUCKET_FILES.get("bucket_file_id")
    delete_bucket_file = BUCKET_FILES.delete("bucket_file_id")

    @operation(bounded=False)
    async def upload_to_bucket(
        self,
        bucket_id: Id[Bucket],
        *upload_file: UploadFile,
        progress: ProgressCallback | None = None,
        auth: AuthParam | UNSET_T = UNSET,
    ) -> list[BucketFile]:
        """Puts files into a bucket: POST /buckets/{bucket_id}/upload.

        Each is a dictionary: `file_name`, which may hold folders; `content`: bytes, a str (sent as UTF-8), a file open
        for reading bytes or whatever has `read`, or a Path, which is never in memory as a whole; and `content_type`,
        "application/octet-stream" if it is left out. Each 64 KiB have the client's `timeout`.

        Args:
            bucket_id: the bucket, or its id.
            upload_file: what to upload.
            progress: is told the bytes sent, the bytes in all or None, and bytes per second; in the thread that sends.
            auth: who asks, for this call alone.

        Returns:
            The files, as the Hub has them.

        Raises:
            UsageError: a file is no such dictionary, or cannot be read; before anything is sent, where that can be
                known.
            ContractError: the Hub has taken other files than these, or not the whole of them.
            HubAPIError: the Hub did not take them. With a token that has ended they are sent once more, with another;
                but not those that can be read only once, such as a pipe.
        """
        hub = self._asked_by(auth)
        url = hub.url(BUCKETS.path, id_of(bucket_id, Bucket, "bucket_id"), "upload")
        parts = parts_of(upload_file, hub.runtime)
        form = MultipartForm(parts)
        body = body_of(form.body, progress=progress)
        patient = hub.with_options(timeout=time_for(body, hub.call.options.timeout))
        try:
            response = await patient.send(Request("POST", url, headers=form.headers, body=body))
        except HubAPIError as error:
            if not body.replayable and error.status in (400, 401, 500):  # what a token that has ended may look like
                error.add_note(
                    "this content can be read only once, and so was not sent again with another token: give it afresh, "
                    "or a path, bytes, or a file that can seek"
                )
            raise
        records, _ = read_list(response, BucketFile, hub._speech)
        return taken(records, [part for _, part in parts])

    @streamed(Download())
    async def stream_bucket_tarball(
        self,
        part: Part,
        bucket_id: Id[Bucket],
        chunk_size: int | None = 1024,
        *,
        auth: AuthParam | UNSET_T = UNSET,
    ) -> Response:
        """All files of a bucket, as a tar: GET /buckets/{bucket_id}/stream.

        Gives pieces of bytes, once; or a file by `.to(path)`, which a folder gets under the bucket's name. Nothing is
        sent before either is asked for.

        Args:
            bucket_id: the bucket, or its id.
            chunk_size: bytes of each piece but the last; None: pieces are as they arrive, 256 KiB at most, which costs
                much less.
            auth: who asks, for this call alone.
        """
        id = id_of(bucket_id, Bucket, "bucket_id")
        name = (bucket_id.name if isinstance(bucket_id, Bucket) else None) or id
        return await self._stream(part, self.url(BUCKETS.path, id, "stream"), f"{name}.tar", chunk_size, auth)

    @streamed(Download())
    async def stream_bucket_file(
        self,
        part: Part,
        bucket_file_id: Id[BucketFile],
        chunk_size: int | None = 1024,
        *,
        auth: AuthParam | UNSET_T = UNSET,
    ) -> Response:
        """What is in a file: GET /bucket-files/{bucket_file_id}/stream; otherwise as `stream_bucket_tarball`.

        It comes as it was uploaded, though the Hub calls it `application/gzip`, whatever it is. Of a `BucketFile` that
        tells its size, there must come that much.
        """
        id = id_of(bucket_file_id, BucketFile, "bucket_file_id")
        name = (bucket_file_id.name if isinstance(bucket_file_id, BucketFile) else None) or id
        size = bucket_file_id.size if isinstance(bucket_file_id, BucketFile) else None
        return await self._stream(part, self.url(BUCKET_FILES.path, id, "stream"), name, chunk_size, auth, size)

    async def _stream(
        self,
        part: Part,
        url: Url,
        name: str,
        chunk_size: int | None,
        auth: AuthParam | UNSET_T,
        size: int | None = None,
    ) -> Response:
        check_chunk_size(chunk_size)
        response = await self._asked_by(auth).send(part.of(Request("GET", url)), stream=True)
        return chunked(measured(named(await checked(response), name), size), chunk_size, self.runtime)


class StorageClient(StorageService, Client):
    """The storage service of a FLAME Hub: plain calls."""


class AsyncStorageClient(StorageService, AsyncClient):
    """The storage service of a FLAME Hub: awaited calls."""
