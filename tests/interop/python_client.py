#!/usr/bin/env python3
"""python-tuf's client over a repository in a folder: python_client.py ROOT REPOSITORY TARGET OUT."""

import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlparse

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater


class Files(FetcherInterface):
    """file:// URLs; what is not there is a 404."""

    def _fetch(self, url):
        path = Path(unquote(urlparse(url).path))
        if not path.is_file():
            raise DownloadHTTPError(f"{path}: not there", 404)
        yield path.read_bytes()


root, repository, target, out = sys.argv[1:]
repository = Path(repository).resolve()
with tempfile.TemporaryDirectory() as cache:
    updater = Updater(
        cache, f"{repository.as_uri()}/metadata/", out, f"{repository.as_uri()}/targets/", fetcher=Files(),
        bootstrap=Path(root).read_bytes(),
    )
    updater.refresh()
    info = updater.get_targetinfo(target)
    if info is None:
        sys.exit(f"{target}: there is no such target")
    updater.download_target(info, str(Path(out) / Path(target).name))
