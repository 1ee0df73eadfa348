"""Pictures to files, and one error where that fails."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mmdualhand.errors import ConfigError


def write_image(path: str | Path, image: np.ndarray) -> Path:
    """Write a picture; its folder is made.

    Args:
        path: Its ending says the format, as OpenCV knows them.
        image: ``(H, W, 3)`` uint8 RGB.

    Returns:
        The path.

    Raises:
        ConfigError: The folder or the file cannot be written, or the ending is of no picture.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        done = cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    except OSError as error:
        raise ConfigError(f'{path} cannot be written: {error.strerror or error}') from error
    except cv2.error as error:
        raise ConfigError(f'{path} must end as a picture does, .png or .jpg, to be written') from error
    if not done:
        raise ConfigError(f'{path} cannot be written: no right to, no room, or a folder of that name')
    return path
