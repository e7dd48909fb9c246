"""`python -m jackfield` is the `jackfield` command."""

import sys

from jackfield._cli import main

sys.exit(main())
