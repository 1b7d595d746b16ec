"""Our own formats: face packs, shards of turned faces, labelled clips."""
