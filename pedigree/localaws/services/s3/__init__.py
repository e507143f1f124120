"""S3: blob_store.py keeps contents as files by their hash, catalog.py maps buckets and keys to contents."""
