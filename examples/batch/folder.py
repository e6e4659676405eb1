"""Edit every picture of a folder: python folder.py PICTURES OUT "add snow". The same line again goes on."""

from __future__ import annotations

import sys
from pathlib import Path

from runcomfy import RunComfy

MODEL = "bytedance/dreamina-4-0/edit"


def main(pictures: str, output_dir: str, prompt: str) -> int:
    rows = [
        {"model": MODEL, "key": path.stem, "input": {"prompt": prompt, "image_urls": [path]}}
        for path in sorted(Path(pictures).glob("*"))
        if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")
    ]
    with RunComfy() as client:
        batch = client.batch(rows, output_dir)
        check = batch.check()
        print(f"{check.jobs} pictures, about {check.estimate} USD")
        for item in batch.run():
            print(item.key, item.state, *item.files)
        return 0 if batch.status().counts["done"] == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
