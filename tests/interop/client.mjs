// tuf-js over a repository in a folder: node client.mjs ROOT REPOSITORY TARGET OUT. Its modules lie in $INTEROP_JS.

import { createRequire } from 'node:module';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';

const require = createRequire(path.join(process.env.INTEROP_JS, 'package.json'));
const { BaseFetcher, Updater } = require('tuf-js');
const { DownloadHTTPError } = require(path.join(process.env.INTEROP_JS, 'node_modules/tuf-js/dist/error.js'));

// file:// URLs; what is not there is a 404.
class Files extends BaseFetcher {
  async fetch(url) {
    const file = fileURLToPath(url);
    if (!fs.existsSync(file)) throw new DownloadHTTPError(`${file}: not there`, 404);
    return Readable.toWeb(fs.createReadStream(file));
  }
}

const [root, repository, target, out] = process.argv.slice(2);
const base = pathToFileURL(path.resolve(repository)).href;
const cache = fs.mkdtempSync(path.join(os.tmpdir(), 'tuf-js-'));
try {
  fs.copyFileSync(root, path.join(cache, 'root.json'));
  const updater = new Updater({
    metadataDir: cache,
    metadataBaseUrl: `${base}/metadata`,
    targetDir: out,
    targetBaseUrl: `${base}/targets`,
    fetcher: new Files(),
  });
  await updater.refresh();
  const info = await updater.getTargetInfo(target);
  if (!info) throw new Error(`${target}: there is no such target`);
  await updater.downloadTarget(info, path.join(out, path.basename(target)));
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
} finally {
  fs.rmSync(cache, { recursive: true });
}
