"""Synthesise the speech of the demo corpus with espeak-ng and write it as Ogg Vorbis.

It was run once, when the corpus was made; the result lies in tfkd/assets/demo. To make it again:

    apt-get install espeak-ng
    .venv/bin/python scripts/make_demo_corpus.py

Every voice is an espeak-ng language with a speaker variant, a pitch, a speed and a vocal-tract
factor (resampling moves the formants), so that no two sound alike. Voices are disjoint between
train, valid and held_out. The sentences were written for this corpus. espeak-ng is free software
(GPL-3.0-or-later); its licence covers the program, not the sound that it is made to speak, and
none of it is needed or shipped here.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

SAMPLE_RATE = 16_000
ACTIVE_DBFS = -26.0
VORBIS_COMPRESSION = 0.55  # of libsndfile: 0 is the best quality, 1 the smallest file
DESTINATION = Path(__file__).parent.parent / "tfkd" / "assets" / "demo"


@dataclass(frozen=True)
class Voice:
    """A synthetic speaker."""

    name: str
    espeak: str  # language+variant
    pitch: int  # espeak-ng: 0 to 99
    words_per_minute: int
    vocal_tract: float  # above 1: a longer one, lower formants


TRAIN = (
    Voice("anna", "en-gb+f2", 55, 165, 0.97),
    Voice("bert", "en-us+m3", 42, 160, 1.03),
    Voice("carla", "en-us+Annie", 60, 175, 1.00),
    Voice("dorian", "en-gb-x-rp+Andy", 48, 170, 1.00),
    Voice("ellis", "en-029+f5", 50, 158, 1.02),
    Voice("fabio", "en-us+David", 35, 180, 0.98),
    Voice("gwen", "en-gb-scotland+belinda", 58, 168, 1.00),
    Voice("hugo", "en-gb-x-gbcwmd+Mike", 30, 172, 1.05),
    Voice("iris", "en-us+steph", 66, 178, 0.95),
    Voice("jonas", "en-gb+m7", 52, 150, 0.94),
    Voice("kira", "en-us-nyc+f4", 45, 185, 0.99),
    Voice("lars", "en-gb-x-gbclan+m1", 26, 155, 1.06),
    Voice("mila", "de+f3", 54, 165, 0.98),
    Voice("nino", "es+m2", 46, 170, 1.00),
    Voice("odile", "fr+f1", 52, 162, 1.00),
    Voice("pavel", "en-us+Michael", 40, 166, 0.96),
)
VALID = (
    Voice("quinn", "en-us+anika", 57, 170, 0.98),
    Voice("rolf", "en-gb+m5", 38, 162, 1.02),
    Voice("sofia", "en-gb-scotland+Andrea", 49, 176, 1.00),
)
HELD_OUT = (
    Voice("tara", "en-gb-x-rp+linda", 53, 168, 1.00),
    Voice("ugo", "en-us+Alex", 44, 164, 1.01),
    Voice("vera", "en-us+Alicia", 61, 172, 0.97),
    Voice("wim", "en-029+m6", 33, 158, 1.04),
)

ENGLISH = (
    "The small boat waited beside the harbour wall while two men counted boxes of fish.",
    "She put the yellow kettle on the stove and looked for a clean cup.",
    "Please measure the length of this wire twice before you cut it.",
    "A cold wind from the north shook the windows all night long.",
    "We changed the battery, closed the lid, and the little radio began to sing.",
    "Nobody knew why the train had stopped between the two stations.",
    "His younger sister plays the violin better than he plays the drums.",
    "Turn left after the church, then walk uphill until you see the orange gate.",
    "The judge asked him to speak more slowly and to face the microphone.",
    "Six thick books slid off the shelf and fell on the cat's cushion.",
    "They usually buy cheese, bread and olives at the Saturday market.",
    "The old lighthouse keeper wrote down the weather three times a day.",
    "Could you hold this ladder for a moment while I reach the lamp?",
    "A thin layer of ice had formed on the surface of the pond.",
    "The pilot checked every gauge, then asked for permission to take off.",
    "My neighbour grows tomatoes, peppers and huge purple beans on her balcony.",
    "The measurement was wrong because somebody had moved the sensor.",
    "After lunch the children built a bridge out of wood and string.",
    "Jazz music drifted through the open door of the café on the corner.",
    "The chemist poured the green liquid into a glass and stirred it gently.",
    "Fourteen people signed the letter, and each of them kept a copy.",
    "I would rather take the bus than wait an hour for a taxi.",
    "The bakery opens at five, when the street is still dark and quiet.",
    "Our teacher drew a large triangle and named each of its corners.",
    "There is a hole in the fence behind the garage, near the apple tree.",
    "The ship's engine hummed so deeply that you could feel it in your feet.",
    "Young engineers often forget that a loose screw can stop a whole machine.",
    "He folded the map, put it in his pocket and whistled for the dog.",
    "The museum keeps thousands of coins in narrow wooden drawers.",
    "If the red light blinks twice, pull the plug and call me at once.",
    "Rain ran down the gutters and filled the barrels in the yard.",
    "She laughed so loudly that the people at the next table turned around.",
    "The farmer sold eight sheep and bought a second-hand tractor.",
    "We heard the clock strike nine, but no one came to the door.",
    "The doctor told him to breathe in, hold his breath and count to ten.",
    "Every evening the fox crosses the field at exactly the same place.",
    "A good microphone hears the room as clearly as it hears the voice.",
    "They painted the kitchen white and the ceiling a very pale blue.",
    "The mountain path was steep, narrow and covered with loose stones.",
    "Which of these keys opens the cupboard under the stairs?",
    "The choir practised the same four bars until everybody was tired.",
    "Her job is to check the numbers that other people have written.",
    "Thick smoke rose from the chimney of the factory by the river.",
    "The boy threw a pebble and watched the rings spread over the water.",
    "It took us three days to drive from the coast to the desert.",
    "Put the fresh herbs in last, or they will lose their flavour.",
    "The orchestra tuned their instruments while the audience found their seats.",
    "A single candle was enough to light the whole room.",
    "The library has moved to the first floor of the new town hall.",
    "Judging by the tracks in the snow, a deer passed here this morning.",
    "He repairs clocks, watches and, now and then, a broken music box.",
    "The bridge was closed for a week so that it could be painted.",
    "Would you like your coffee with milk, with sugar, or with both?",
    "The engine coughed, spat out some smoke, and finally started.",
    "Ships from twelve countries lay at anchor in the wide bay.",
    "She whispered the answer, but the whole class could hear it.",
    "The postman leaves the parcels with the woman who runs the shop.",
    "Two hundred years ago this valley was covered by a thick forest.",
    "The blue vase on the piano was a gift from her godmother.",
    "Please switch off the fan; I can hardly understand what you say.",
    "A zebra, an ostrich and five geese live behind the old theatre.",
    "The programmer found the mistake at last: a plus instead of a minus.",
    "Their voices echoed through the tunnel long after they had gone.",
    "He measured the noise in the workshop with a borrowed instrument.",
)
GERMAN = (
    "Der kleine Hund sucht seit einer Stunde seinen roten Ball.",
    "Am Abend sitzen die Nachbarn vor dem Haus und erzählen Geschichten.",
    "Bitte schalten Sie den Lüfter aus, ich kann Sie kaum verstehen.",
    "Die Brücke wurde vor zwei Jahren gebaut und gestern neu gestrichen.",
    "Im Keller stehen zwölf Kisten mit Äpfeln, Birnen und Zwetschgen.",
    "Wer hat den Schlüssel für den großen Schrank im Flur gesehen?",
    "Der Zug nach Norden fährt heute von einem anderen Gleis ab.",
    "Sie misst jeden Morgen die Temperatur und schreibt sie in ein Heft.",
    "Ein guter Ingenieur hört schon am Klang, ob die Maschine richtig läuft.",
    "Nach dem Regen roch die ganze Straße nach Erde und frischem Gras.",
)
SPANISH = (
    "El barco pequeño espera junto al muelle desde la mañana.",
    "Mi abuela guarda las cartas en una caja de madera muy vieja.",
    "Por favor, apague el ventilador, apenas puedo oír lo que dice.",
    "Los niños construyeron un puente con palos, piedras y cuerda.",
    "Cada jueves compramos queso, pan y aceitunas en el mercado.",
    "El tren se detuvo entre dos estaciones y nadie sabía por qué.",
    "La lluvia llenó los barriles que estaban detrás del garaje.",
    "¿Quién tiene la llave del armario que está bajo la escalera?",
    "El reloj dio las nueve, pero nadie llamó a la puerta.",
    "Un buen micrófono oye la habitación tan bien como la voz.",
)
FRENCH = (
    "Le petit bateau attend près du quai depuis ce matin.",
    "Elle a posé la bouilloire jaune sur le feu et cherche une tasse propre.",
    "Pourriez-vous éteindre le ventilateur, je vous entends à peine.",
    "Les enfants ont construit un pont avec du bois et de la ficelle.",
    "Chaque samedi, nous achetons du fromage, du pain et des olives.",
    "Personne ne sait pourquoi le train s'est arrêté entre deux gares.",
    "Le vent du nord a secoué les fenêtres pendant toute la nuit.",
    "Qui a la clé de l'armoire qui se trouve sous l'escalier ?",
    "L'horloge a sonné neuf heures, mais personne n'est venu.",
    "Un bon microphone entend la pièce aussi bien que la voix.",
)
SENTENCES = {"de": GERMAN, "es": SPANISH, "fr": FRENCH}


def speak(voice: Voice, sentence: str, variation: int) -> np.ndarray:
    """One sentence at ACTIVE_DBFS; `variation` moves pitch and speed a little."""
    pitch = voice.pitch + (variation * 7) % 13 - 6
    speed = voice.words_per_minute + (variation * 11) % 25 - 12
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder, "speech.wav")
        options = ["-v", voice.espeak, "-p", str(pitch), "-s", str(speed), "-w", str(wav)]
        subprocess.run(["espeak-ng", *options, sentence], check=True)
        samples, rate = soundfile.read(wav, dtype="float32")
    samples = soxr.resample(samples, rate / voice.vocal_tract, SAMPLE_RATE)
    active = samples[np.abs(samples) > 0.02 * np.abs(samples).max()]
    samples *= 10 ** (ACTIVE_DBFS / 20) / np.sqrt(np.mean(active**2))
    return samples * min(1.0, 0.95 / np.abs(samples).max())


def make_split(voices: tuple[Voice, ...], folder: Path, sentences_each: int, first: int) -> float:
    """Write <folder>/<voice>/NN.ogg; returns the seconds written."""
    seconds = 0.0
    for place, voice in enumerate(voices):
        sentences = SENTENCES.get(voice.espeak.split("+")[0], ENGLISH)
        (folder / voice.name).mkdir(parents=True, exist_ok=True)
        for count in range(sentences_each):
            index = first + place * sentences_each + count
            samples = speak(voice, sentences[index % len(sentences)], index)
            soundfile.write(
                folder / voice.name / f"{count:02}.ogg",
                samples,
                SAMPLE_RATE,
                format="OGG",
                subtype="VORBIS",
                compression_level=VORBIS_COMPRESSION,
            )
            seconds += len(samples) / SAMPLE_RATE
    return seconds


def main() -> None:
    for name, voices, each, first in (
        ("speech/train", TRAIN, 10, 0),
        ("speech/valid", VALID, 6, 32),
        ("held_out", HELD_OUT, 4, 48),
    ):
        seconds = make_split(voices, DESTINATION / name, each, first)
        print(f"{name}: {len(voices)} voices, {seconds / 60:.1f} min")
    total = sum(path.stat().st_size for path in DESTINATION.rglob("*.ogg"))
    print(f"{total / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
