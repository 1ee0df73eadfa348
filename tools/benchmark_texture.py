"""Time the OpenCV form of the texture against the batched Torch form, side by side in one process.

The settings are those of pretrain_rhd. Prints microseconds per sample for both views of RGB and depth and
the ratio of the two. On a CPU one thread is used by both unless ``--threads`` says otherwise.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np
import torch

from mmdualhand import get_config
from mmdualhand.datasets.transforms.photometric import TextureViews
from mmdualhand.models.data_preprocessor import HandDataPreprocessor


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--batch-size', type=int, default=32)
    parser.add_argument('--size', type=int, default=256, help='side of the input in pixels')
    parser.add_argument('--device', default='cpu', help='device of the batched form')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--repeats', type=int, default=7)
    return parser.parse_args()


def synthetic_batch(batch: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Random images (B, H, W, 3) uint8 and disc-shaped depth maps (B, H, W) float32."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (batch, size, size, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:size, :size] / size - 0.5
    disc = np.where(rows**2 + columns**2 < 0.09, 0.5 + rows / 3, 1.0).astype(np.float32)
    return images, np.repeat(disc[None], batch, 0)


def seconds(call: Callable[[], object], device: torch.device) -> float:
    """Wall time of one call, the device drained before and after."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    call()
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def main() -> None:
    """Run both forms in turn and print medians and their ratio."""
    args = parse_args()
    device = torch.device(args.device)
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    images, depth = synthetic_batch(args.batch_size, args.size)
    views = get_config('pretrain_rhd').to_dict()['texture']
    transform, rng = TextureViews(views), np.random.default_rng(0)
    preprocessor = HandDataPreprocessor(texture=views).to(device)
    inputs = dict(
        img=torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().to(device),
        depth=torch.from_numpy(np.rint(depth * 65535).astype(np.uint16))[:, None].to(device),
    )
    batched = preprocessor.textures

    def single() -> None:
        for image, depth_map in zip(images, depth, strict=True):
            transform(dict(img=image, depth_map=depth_map, rng=rng))

    def together() -> None:
        rgb, maps = inputs['img'].float(), inputs['depth'].to(torch.float32) / 65535
        for texture in batched.values():
            texture(rgb, maps)

    times: dict[str, list[float]] = {'opencv': [], 'batched': []}
    for repeat in range(args.repeats + 1):
        for name, call in (('opencv', single), ('batched', together)):
            spent = seconds(call, device)
            if repeat:
                times[name].append(spent / args.batch_size * 1e6)
    opencv, torch_time = (statistics.median(times[name]) for name in ('opencv', 'batched'))
    print(f'{args.batch_size} samples of {args.size} px, RGB + depth, 2 views, {args.threads} CPU thread(s)')
    print(f'OpenCV form:            {opencv:9.1f} us/sample')
    print(f'batched form ({device}):    {torch_time:9.1f} us/sample')
    print(f'batched / OpenCV:       {torch_time / opencv:9.2f}  (above 1: the OpenCV form is the faster one)')


if __name__ == '__main__':
    main()
