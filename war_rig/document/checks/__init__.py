"""The checks that a claim must pass; ``check`` says them in order, a file says each."""
