"""Families that fill the whole image."""

import numpy as np

from tinycerb.datasets.procedural.registry import FAMILIES, grid, uniform


@FAMILIES.register("spectral_noise")
def spectral_noise(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Noise with a 1/f^a spectrum, a from 0 (white) to 2.5 (clouds), random contrast and brightness."""
    height, width, channels = train_images.shape[1:]
    white = rng.standard_normal((count, channels, height, width))
    frequency = np.hypot(np.fft.fftfreq(height)[:, np.newaxis], np.fft.fftfreq(width)[np.newaxis, :])
    frequency[0, 0] = 1 / max(height, width)
    slope = rng.uniform(0, 2.5, (count, 1, 1, 1))
    noise = np.fft.ifft2(np.fft.fft2(white) * frequency**-slope).real
    noise -= noise.mean(axis=(1, 2, 3), keepdims=True)
    noise /= noise.std(axis=(1, 2, 3), keepdims=True) + 1e-9
    contrast, brightness = rng.uniform(0.1, 0.6, (count, 1, 1, 1)), rng.uniform(0, 0.8, (count, 1, 1, 1))
    return (noise * contrast + brightness).transpose(0, 2, 3, 1).astype(np.float32)


@FAMILIES.register("blurred_noise")
def blurred_noise(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """White noise under a Gaussian blur, cut at a random level: soft islands, sharp ones, or bare noise."""
    height, width, channels = train_images.shape[1:]
    white = rng.standard_normal((count, channels, height, width))
    distance = np.hypot(np.fft.fftfreq(height)[:, np.newaxis], np.fft.fftfreq(width)[np.newaxis, :])
    blur = rng.uniform(0.5, 3.5, (count, 1, 1, 1))
    smooth = np.fft.ifft2(np.fft.fft2(white) * np.exp(-2 * (np.pi * blur * distance) ** 2)).real
    smooth /= smooth.std(axis=(1, 2, 3), keepdims=True) + 1e-9
    steepness = np.exp(rng.uniform(-1, 3, (count, 1, 1, 1)))
    level = rng.uniform(-0.8, 0.8, (count, 1, 1, 1))
    return (1 / (1 + np.exp(-np.clip(steepness * (smooth - level), -30, 30)))).transpose(0, 2, 3, 1).astype(np.float32)


@FAMILIES.register("gratings")
def gratings(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """One or two waves, sinusoidal or square, in a round or unbounded window."""
    height, width, channels = train_images.shape[1:]
    vertical, horizontal = grid((count, height, width))
    column = (count, 1, 1)
    total = np.zeros((count, height, width), np.float32)
    for index in range(2):
        turn, waves = uniform(rng, 0, np.pi, *column), uniform(rng, 3, 22, *column)
        phase = (vertical * np.sin(turn) + horizontal * np.cos(turn)) * waves + uniform(rng, 0, 2 * np.pi, *column)
        wave = np.sin(phase)
        wave = np.where(rng.random(column) < 0.4, np.sign(wave), wave)
        total += np.where((rng.random(column) < 0.4) | (index == 0), wave, 0)
    radius = np.where(rng.random(column) < 0.4, uniform(rng, 0.3, 0.9, *column), 9)
    window = np.exp(-np.square(np.hypot(vertical, horizontal) / radius))
    image = 0.5 + 0.5 * uniform(rng, 0.5, 1, *column) * np.clip(total, -1, 1)
    colour = uniform(rng, 0.5, 1, count, 1, 1, channels)
    return (image * window)[..., np.newaxis] * colour


@FAMILIES.register("dead_leaves")
def dead_leaves(rng: np.random.Generator, count: int, train_images: np.ndarray) -> np.ndarray:
    """Discs and boxes of many sizes that hide one another, as things in photographs do (Lee et al., IJCV 2001)."""
    height, width, channels = train_images.shape[1:]
    vertical, horizontal = grid((count, height, width))
    column = (count, 1, 1)
    image = np.ones((count, height, width, channels), np.float32) * uniform(rng, 0, 1, count, 1, 1, channels)
    for _ in range(40):
        y, x = vertical - uniform(rng, -1.2, 1.2, *column), horizontal - uniform(rng, -1.2, 1.2, *column)
        # Radii follow a power law: no size is special.
        radius = 0.08 / np.sqrt(uniform(rng, 0.01, 1, *column))
        distance = np.where(rng.random(column) < 0.6, np.hypot(y, x), np.maximum(np.abs(y), np.abs(x)))
        leaf = uniform(rng, 0, 1, count, 1, 1, channels)
        image = np.where((distance < radius)[..., np.newaxis], leaf, image)
    return image
