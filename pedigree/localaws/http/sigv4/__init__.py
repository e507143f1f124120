"""AWS's request signatures, pure: parts of a request, a secret and a time in; accepted or AWS's error out."""
