"""VoiceBank+DEMAND, the public benchmark: fetched, checked and resampled to 16 kHz.

Source: C. Valentini-Botinhao, "Noisy speech database for training speech enhancement algorithms and
TTS models", University of Edinburgh, 2017, https://doi.org/10.7488/ds/2117, licence CC BY 4.0.
"""

from __future__ import annotations

import csv
import fcntl
import io
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import soundfile

from tfkd import audio
from tfkd.atomic import atomic_path
from tfkd.data.download import download, received_bytes, remote_bytes
from tfkd.errors import CorpusError, DownloadError

SAMPLE_RATE = 16000
BITSTREAMS = "https://datashare.ed.ac.uk/server/api/core/bitstreams"
VALID_SPEAKERS = ("p226", "p287")  # the ones that the literature validates with
DOWNLOADS = "downloads"  # folder of zips; some that were fetched otherwise may be put there
_WRITTEN_SHARE = 0.5  # of a zip's size: what its recordings take at 16 kHz
_MB = 1_000_000
_DECIBELS = re.compile(r"-?\d+(\.\d+)?")

Progress = Callable[[str, float], AbstractContextManager[Callable[[float], None]]]


@dataclass(frozen=True)
class Archive:
    """One published zip and the folder that it becomes."""

    name: str
    bitstream: str  # what Edinburgh DataShare calls it
    folder: str
    speakers: int
    recordings: int


ARCHIVES = (
    Archive("clean_testset_wav", "dec213d3-bf57-4777-9663-c24bdce92d5e", "test/clean", 2, 824),
    Archive("noisy_testset_wav", "13c1bfbf-14a6-41db-9b41-8f7310f01ad5", "test/noisy", 2, 824),
    Archive(
        "clean_trainset_28spk_wav",
        "245452b6-6235-44b6-a6f9-e7eb19797769",
        "train/clean",
        28,
        11_572,
    ),
    Archive(
        "noisy_trainset_28spk_wav",
        "ecb5a102-bb00-46d3-8af5-40c79823b837",
        "train/noisy",
        28,
        11_572,
    ),
)
LOGS = Archive("logfiles", "11185dc8-9cf1-405b-b858-35bd6a04aedd", "", 0, 0)  # SNR of every pair


@dataclass(frozen=True)
class VoiceBankDemand:
    """Folders, as `tfkd train` and `tfkd evaluate` take them; the manifest has splits and SNRs."""

    train_noisy: Path
    train_clean: Path
    test_noisy: Path
    test_clean: Path
    manifest: Path


def fetch_voicebank_demand(
    destination: Path | str,
    *,
    url: str | None = None,
    keep_zips: bool = False,
    archives: Sequence[Archive] = ARCHIVES,
    progress: Progress = lambda label, total: nullcontext(lambda amount: None),
    note: Callable[[str], None] = lambda text: None,
) -> VoiceBankDemand:
    """Fetch the four zips, check them, and write their recordings as 16 kHz, 16-bit WAV.

    Every step leaves whole files only, so that a call after an interruption continues, and one
    after the last step does nothing.

    Args:
        destination: gets train/ and test/, each with noisy/ and clean/, and manifest.csv.
        url: a mirror, which holds the zips under their names; None for Edinburgh DataShare.
        keep_zips: keep the zips after their recordings are written.
        archives: what to fetch.
        progress: makes a bar of a label and a total.
        note: is told what begins.

    Raises:
        DownloadError: no network, no such file, broken off too often, or the disk is full.
        CorpusError: too little space, a damaged zip, or not the recordings that are expected.
        AudioError: a recording cannot be written.
    """
    root = Path(destination)
    corpus = VoiceBankDemand(
        train_noisy=root / "train" / "noisy",
        train_clean=root / "train" / "clean",
        test_noisy=root / "test" / "noisy",
        test_clean=root / "test" / "clean",
        manifest=root / "manifest.csv",
    )
    root.mkdir(parents=True, exist_ok=True)
    with _alone(root):
        missing = [archive for archive in archives if not (root / archive.folder).is_dir()]
        if missing:
            _check_space(root, missing, url, keep_zips)
        for archive in missing:
            packed = _fetch(root, archive, url, progress, note)
            _unpack(packed, archive, root / archive.folder, progress, note)
            if not keep_zips:
                packed.unlink()
        for archive in archives:
            _check_written(root / archive.folder, archive)
        _check_partners(corpus)
        if not corpus.manifest.exists():
            _write_manifest(root, corpus, _snrs_db(root, url, progress, note))
        if not keep_zips:
            shutil.rmtree(root / DOWNLOADS, ignore_errors=True)
    return corpus


def is_complete(destination: Path | str, archives: Sequence[Archive] = ARCHIVES) -> bool:
    """Whether an earlier call has finished."""
    root = Path(destination)
    folders = all((root / archive.folder).is_dir() for archive in archives)
    return folders and (root / "manifest.csv").is_file()


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Keep two calls from writing the same files."""
    lock = root / ".lock"
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CorpusError(f"{root}: another tfkd writes there now. Wait for it.") from error
        yield
        lock.unlink()


def _address(archive: Archive, url: str | None) -> str:
    if url is None:
        return f"{BITSTREAMS}/{archive.bitstream}/content"
    return f"{url.rstrip('/')}/{archive.name}.zip"


def _zip(root: Path, archive: Archive) -> Path:
    return root / DOWNLOADS / f"{archive.name}.zip"


def _check_space(root: Path, missing: Sequence[Archive], url: str | None, keep_zips: bool) -> None:
    """Before gigabytes travel: what is still to come of the zips, and of what they become."""
    travelling, written = [0], 0.0
    for archive in missing:
        packed = _zip(root, archive)
        size = packed.stat().st_size if packed.exists() else remote_bytes(_address(archive, url))
        travelling.append(0 if packed.exists() else (size or 0) - received_bytes(packed))
        building = _building(root / archive.folder)
        begun = sum(path.stat().st_size for path in building.glob("*"))
        written += max(0.0, _WRITTEN_SHARE * (size or 0) - begun)
    needed = written + (sum(travelling) if keep_zips else max(travelling))
    free = shutil.disk_usage(root).free
    if free < needed:
        raise CorpusError(
            f"{root}: {free / _MB:,.0f} MB are free there, about {needed / _MB:,.0f} MB are "
            f"needed. Free some space or choose another folder."
        )


def _building(folder: Path) -> Path:
    """Where a folder's recordings gather until all are there."""
    return folder.with_name(f".{folder.name}.partial")


def _fetch(
    root: Path,
    archive: Archive,
    url: str | None,
    progress: Progress,
    note: Callable[[str], None],
) -> Path:
    packed = _zip(root, archive)
    if not packed.exists():
        address = _address(archive, url)
        total = remote_bytes(address) or 0
        note(f"fetching {packed.name}, {total / _MB:,.0f} MB, from {address}")
        with progress(packed.name, total) as advance:
            download(address, packed, advance)
    return packed


def _unpack(
    packed: Path,
    archive: Archive,
    folder: Path,
    progress: Progress,
    note: Callable[[str], None],
) -> None:
    """Write a zip's recordings at 16 kHz; the folder appears once it holds all of them."""
    building = _building(folder)
    with _damage_is_an_error(packed), zipfile.ZipFile(packed) as zipped:
        members = _recordings(zipped)
        _check_counts(f"{packed} holds", list(members), archive)
        note(f"writing {folder}, {len(members):,} recordings at 16 kHz")
        with progress(folder.name, len(members)) as advance:
            for name, member in members.items():
                if not (building / name).exists():
                    content = zipped.read(member)  # raises where the CRC is wrong
                    audio.write(building / name, _resampled(content, name), SAMPLE_RATE)
                advance(1)
    building.rename(folder)


@contextmanager
def _damage_is_an_error(packed: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        with packed.open("rb") as file:
            is_page = file.read(64).lstrip().startswith(b"<")
        packed.unlink()
        raise CorpusError(
            f"{packed} is {'a web page, no zip' if is_page else f'damaged ({error})'}. It is "
            f"removed; run the same command again to fetch it anew, or another one with --url."
        ) from error


def _recordings(zipped: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """File name -> member, of every .wav; without the ghosts that macOS adds."""
    return {
        PurePosixPath(member.filename).name: member
        for member in zipped.infolist()
        if member.filename.lower().endswith(".wav")
        and not PurePosixPath(member.filename).name.startswith("._")
    }


def _resampled(content: bytes, name: str) -> audio.Floats:
    try:
        samples, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise CorpusError(f"{name} in the zip cannot be read as audio: {error}.") from error
    return audio.resample(samples.mean(axis=1), rate, SAMPLE_RATE)


def _speaker(name: str) -> str:
    return name.partition("_")[0]


def _check_counts(what: str, names: Sequence[str], archive: Archive) -> None:
    speakers = len({_speaker(name) for name in names})
    if (speakers, len(names)) != (archive.speakers, archive.recordings):
        raise CorpusError(
            f"{what} {len(names):,} recordings of {speakers} speakers. Expected "
            f"{archive.recordings:,} of {archive.speakers}, as published. Remove it and run the "
            f"same command again."
        )


def _check_written(folder: Path, archive: Archive) -> None:
    _check_counts(f"{folder} holds", [path.name for path in folder.glob("*.wav")], archive)


def _check_partners(corpus: VoiceBankDemand) -> None:
    for noisy, clean in (
        (corpus.train_noisy, corpus.train_clean),
        (corpus.test_noisy, corpus.test_clean),
    ):
        names = [{path.name for path in folder.glob("*.wav")} for folder in (noisy, clean)]
        if lonely := sorted(names[0] ^ names[1]):
            raise CorpusError(
                f"{noisy} and {clean} must hold the same names; {len(lonely)} are in one only, "
                f"the first is {lonely[0]}. Remove both and run the same command again."
            )


def _snrs_db(
    root: Path, url: str | None, progress: Progress, note: Callable[[str], None]
) -> dict[str, str]:
    """File stem -> SNR in dB, from the published logs of lines `p232_001 bus 7.5`.

    They are not needed: without them the manifest's column stays empty.
    """
    try:
        packed = _fetch(root, LOGS, url, progress, note)
        with _damage_is_an_error(packed), zipfile.ZipFile(packed) as zipped:
            lines = [
                line.split()
                for member in zipped.namelist()
                if PurePosixPath(member).name in ("log_testset.txt", "log_trainset_28spk.txt")
                for line in zipped.read(member).decode(errors="replace").splitlines()
            ]
    except (DownloadError, CorpusError) as error:
        note(f"The SNRs of the pairs stay unknown: {error}")
        return {}
    return {
        fields[0].removesuffix(".wav"): fields[2]
        for fields in lines
        if len(fields) == 3 and _DECIBELS.fullmatch(fields[2])
    }


def _write_manifest(root: Path, corpus: VoiceBankDemand, snrs_db: dict[str, str]) -> None:
    """What `read_corpus` and `tfkd evaluate --manifest` read: splits, speakers, SNRs."""
    with atomic_path(corpus.manifest) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "split", "speaker", "snr_db"])
        for split in ("train", "test"):
            for side in ("noisy", "clean"):
                for path in sorted((root / split / side).glob("*.wav")):
                    speaker = _speaker(path.name)
                    part = "valid" if speaker in VALID_SPEAKERS else split
                    name = path.relative_to(root).as_posix()
                    writer.writerow([name, part, speaker, snrs_db.get(path.stem, "")])
