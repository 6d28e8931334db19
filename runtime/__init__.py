"""What becomes of an upload: admitted, read, held against its contract, written, and put on record.

Arrow reads which allocator to use when it is loaded, so it is said here. Its wheels for Linux have jemalloc, which
keeps some 50 MB less of what was freed than the allocator that they would use.
"""

import os
import sys

if sys.platform == "linux":
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")
