"""The way in by AWS's own host names: a CONNECT proxy that answers for AWS itself, with certificates of its own.

Clients that ask for an AWS host, whatever their library says about endpoints, come through here: TLS ends on this
machine, and http/ gets the request as the client signed it. Every other host is passed on, or refused.
"""
