"""The version of this package, which its build and its results take from here."""

__version__ = "0.2.0.dev1"
