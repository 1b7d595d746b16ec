"""A photo painted anew with its head turned, its expression changed, something worn."""
