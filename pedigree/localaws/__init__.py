"""An AWS on this machine, for any definition. Stands on language/ and checks/, and meets the rest in AWS's APIs."""
