"""Alert packets of other surveys: bytes in, one frozen class for all of them out."""
