"""Arithmetic of judgements."""
