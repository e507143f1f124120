"""Helpers that several tests share: accounts, clients, fakes, generated settings, local AWSs."""
