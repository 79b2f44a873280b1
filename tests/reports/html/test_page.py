import hashlib
import json
import re
from importlib.resources import files

import pytest

from keras_pruning.reports.html.page import script_json

HOSTILE = "<script>alert(1)</script>\"'&</style>\u202edesrever\x00\x1b[2J"


def test_vendored_files_have_the_recorded_checksums():
    vendor = files("keras_pruning.reports.html") / "vendor"
    recorded = re.findall(r"`(\S+\.js)` \| .* \| `(\w{64})`", (vendor / "README.md").read_text())
    assert len(recorded) == 3
    for name, checksum in recorded:
        content = (vendor / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == checksum
        # These would end the script or keep it from ending.
        assert b"</script" not in content.lower() and b"<!--" not in content


def test_json_of_a_script_ends_no_script_and_comes_back():
    text = script_json({"a": ["</script><!--", 1.5, None], "b&": "\u202e\u2028"})
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"a": ["</script><!--", 1.5, None], "b&": "\\u202e\\u2028"}
    with pytest.raises(ValueError):
        script_json(float("nan"))
