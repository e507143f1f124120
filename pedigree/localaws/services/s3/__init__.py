"""S3's objects: contents as files by their hash, and a catalog of who has which content under which key."""
