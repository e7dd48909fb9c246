"""The storage service: buckets, and the files in them."""

from __future__ import annotations

from jackfield import AsyncClient, Client

from ._resource import Resource
from ._service import HubService
from ._storage_models import Bucket, BucketFile, CreateBucket

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


class StorageClient(StorageService, Client):
    """The storage service of a FLAME Hub: plain calls."""


class AsyncStorageClient(StorageService, AsyncClient):
    """The storage service of a FLAME Hub: awaited calls."""
