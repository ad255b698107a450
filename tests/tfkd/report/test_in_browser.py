"""The page as Chromium shows and plays it."""

from __future__ import annotations

import time

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

# Everything that reaches the loudspeaker passes an analyser as well; requests are counted.
EAVESDROP = """
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode) {
    window.ear = window.ear || new AnalyserNode(target.context, { fftSize: 8192 });
    connect.call(this, window.ear);
  }
  return connect.call(this, target, ...rest);
};
"""
HEAR = """
const samples = new Float32Array(window.ear.fftSize);
window.ear.getFloatTimeDomainData(samples);
return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
"""


@pytest.fixture
def opened(browser, page):
    """The page at 1280 pixels, with an ear at the loudspeaker."""
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": EAVESDROP})
    show(browser, page, 1280)
    browser.get_log("browser")
    yield browser
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    assert browser.get_log("browser") == []


def show(browser, page, width: int, scheme: str = "light") -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {
            "features": [
                {"name": "prefers-color-scheme", "value": scheme},
                {"name": "prefers-reduced-motion", "value": "reduce"},  # no smooth scrolling
            ]
        },
    )
    browser.get(page.as_uri())


def players(browser):
    return browser.find_elements(By.CSS_SELECTOR, ".player")


def position(player) -> float:
    return float(player.find_element(By.CSS_SELECTOR, ".seek").get_property("value"))


def is_playing(player) -> bool:
    return "playing" in player.get_attribute("class").split()


def button(player):
    return player.find_element(By.CSS_SELECTOR, ".play")


def choose(player, key: str) -> None:
    player.find_element(By.CSS_SELECTOR, f"input[value='{key}']").click()


def until(condition, seconds: float = 10.0):
    """Wait for a condition; returns its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return value


def test_it_plays_and_pauses(opened):
    player = players(opened)[0]
    assert position(player) == 0
    button(player).click()
    until(lambda: position(player) > 0.3)
    assert is_playing(player)
    assert button(player).get_attribute("aria-label").startswith("Pause")
    assert until(lambda: opened.execute_script(HEAR) > 0.01)
    button(player).click()
    stopped = position(player)
    time.sleep(0.3)
    assert position(player) == stopped
    assert not is_playing(player)


def test_switching_keeps_the_position_and_changes_the_sound(opened):
    player = players(opened)[0]
    loop = player.find_element(By.CSS_SELECTOR, ".loop input")
    loop.click()
    button(player).click()
    until(lambda: position(player) > 0.2)
    levels = {}
    for key in ("clean", "noisy", "int8"):
        before, clock = position(player), time.monotonic()
        choose(player, key)
        after, elapsed = position(player), time.monotonic() - clock
        assert is_playing(player)
        assert 0 <= (after - before) % 3.0 <= elapsed + 0.1
        heard = player.find_elements(By.CSS_SELECTOR, ".track.heard")
        assert [track.get_attribute("data-key") for track in heard] == [key]
        quietest = []
        for _ in range(12):  # pauses between syllables, where noisy and clean differ most
            time.sleep(0.06)
            quietest.append(opened.execute_script(HEAR))
        levels[key] = sum(quietest)
    assert len({round(level, 4) for level in levels.values()}) == 3
    assert levels["noisy"] > levels["clean"]
    button(player).click()


def test_it_stops_at_the_end_and_begins_anew(opened):
    player = players(opened)[0]
    opened.execute_script(
        "const seek = arguments[0].querySelector('.seek'); seek.value = 2.7;"
        "seek.dispatchEvent(new Event('input'));",
        player,
    )
    assert position(player) == 2.7
    button(player).click()
    until(lambda: is_playing(player))
    until(lambda: not is_playing(player))
    assert position(player) == 0


def test_one_player_at_a_time(opened):
    first, second = players(opened)[:2]
    button(first).click()
    until(lambda: is_playing(first))
    button(second).click()
    until(lambda: is_playing(second))
    assert not is_playing(first)
    button(second).click()


def test_the_keyboard_does_it_all(opened):
    player = players(opened)[0]
    radio = player.find_element(By.CSS_SELECTOR, "input[value='noisy']")
    radio.send_keys(Keys.SPACE)
    until(lambda: is_playing(player) and position(player) > 0.1)
    radio.send_keys("3")
    assert opened.switch_to.active_element.get_attribute("value") == "clean"
    opened.switch_to.active_element.send_keys(Keys.ARROW_UP)
    assert opened.switch_to.active_element.get_attribute("value") == "int8"
    opened.switch_to.active_element.send_keys(Keys.SPACE)
    assert not is_playing(player)
    seek = player.find_element(By.CSS_SELECTOR, ".seek")
    before = position(player)
    seek.send_keys(Keys.ARROW_RIGHT)
    assert position(player) > before


def test_a_click_into_a_spectrogram_plays_from_there(opened):
    player = players(opened)[0]
    box = player.find_element(By.CSS_SELECTOR, ".track[data-key='clean'] .box")
    opened.execute_script("arguments[0].scrollIntoView({block: 'center'})", box)
    box.click()  # into its middle
    until(lambda: is_playing(player))
    assert 1.45 <= position(player) < 2.5
    assert player.find_element(By.CSS_SELECTOR, "input[value='clean']").is_selected()
    button(player).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_screen(browser, page, width, scheme):
    show(browser, page, width, scheme)
    root = "return document.documentElement"
    assert browser.execute_script(f"{root}.scrollWidth") == width
    for details in browser.find_elements(By.TAG_NAME, "details"):
        browser.execute_script("arguments[0].open = true", details)
    assert browser.execute_script(f"{root}.scrollWidth") == width
    pictures = browser.execute_script(
        "return [...document.images].map((image) => image.naturalWidth > 0)"
    )
    assert len(pictures) == 3 * 4  # noisy, int8, clean and the mask of three examples
    assert all(pictures)
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(browser, page, scheme):
    """WCAG 2.2, 1.4.3: at least 4.5 to 1 for every text against the page."""
    show(browser, page, 1280, scheme)
    ratios = browser.execute_script(
        """
        const light = (colour) => {
          const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
            .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
          return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
        };
        const ground = (element) => {
          const colour = getComputedStyle(element).backgroundColor;
          return colour === "rgba(0, 0, 0, 0)" && element.parentElement
            ? ground(element.parentElement) : colour;
        };
        const ratios = [];
        for (const element of document.querySelectorAll("body *")) {
          const texts = [...element.childNodes].filter((node) => node.nodeType === 3);
          if (!texts.some((text) => text.data.trim())) continue;
          if (element.closest("script, svg") || !element.checkVisibility()) continue;
          const [a, b] = [light(getComputedStyle(element).color), light(ground(element))];
          ratios.push((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
        }
        return ratios;
        """
    )
    assert len(ratios) > 100
    assert min(ratios) >= 4.5


def test_every_control_has_a_name(browser, page):
    show(browser, page, 1280)
    for element in browser.find_elements(By.CSS_SELECTOR, "button, input, a, [role=img], img"):
        if element.is_displayed():
            assert element.accessible_name.strip(), element.get_attribute("outerHTML")[:200]


def test_without_scripts_the_recordings_still_play(browser, page):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        show(browser, page, 1280)
        sounds = browser.find_elements(By.TAG_NAME, "audio")
        assert len(sounds) == 3 * 3
        assert all(sound.is_displayed() for sound in sounds)
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
