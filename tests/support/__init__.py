"""What tests share: accounts, callers, fakes, drawn settings and the local AWS, ready to be asked."""
