"""The peers: each does the same job in its best honest way, a process a file, started as ``python -m bench.peers.X``.

The job: read a file, type its columns, write Parquet (zstd level 1) below ``processed/sale_date=.../``. With ``rules``
also hold the rows against the contract's rules, and write those that break one below ``refused/``, each with its
``transaction_id``, ``reason`` and text (``raw``), and its number in the file (``row``, from 1) where the peer knows it.
"""
