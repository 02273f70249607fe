"""The add-in for Excel: built from source, installed, bundled, examined."""
