"""The definition: settings in, the JSON of a SageMaker pipeline out, with no network and no account."""
