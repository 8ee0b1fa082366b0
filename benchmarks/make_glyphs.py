"""Make skdigits/synthesis/glyphs.npz: bitmaps of the digits of openly licensed fonts.

    python benchmarks/make_glyphs.py FOLDER_OF_FONTS

TYPEFACES lists packages of Debian 12. The folder has one subfolder per package, with its name; it
is made with `apt-get download PACKAGE` and `dpkg -x PACKAGE_*.deb FOLDER_OF_FONTS/PACKAGE`. The
subfolder matplotlib contains the fonts of matplotlib. The script also writes GLYPHS.md, which
credits the fonts.
"""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

HEIGHT = 40  # pixels: median height of the digits of a typeface
BOX = (56, 64)  # maximum height and width of a digit, in pixels
FINER = 8  # resolution of drawing, relative to that of the bitmaps
TARGET = Path(__file__).resolve().parents[1] / "skdigits" / "synthesis"

# Each line has a package, its copyright holder, its licence and the kind of its digits. The
# indented lines below it list font files.
TYPEFACES = """
fonts-3270; The 3270font Project Authors; BSD-3-Clause; printed
    3270-Regular.ttf
fonts-allerta; Matt McInerney; OFL-1.1; printed
    allerta_stencil.otf
fonts-arapey; The Arapey Project Authors; OFL-1.1; printed
    Arapey-Black.otf
fonts-averia-gwf; Dan Sayers; OFL-1.1; printed
    AveriaGWF-Regular.ttf
fonts-b612; Airbus; OFL-1.1; printed
    B612-Regular.otf, B612-BoldItalic.otf
fonts-bebas-neue; Ryoichi Tsunekawa; OFL-1.1; printed
    BebasNeue-Regular.otf
fonts-cantarell; The Cantarell Authors; OFL-1.1; printed
    Cantarell-ExtraBold.otf
fonts-comfortaa; Johan Aakerlund; OFL-1.1; printed
    Comfortaa-Regular.ttf
fonts-compagnon; Juliette Duhé, Léa Pradine; OFL-1.1; printed
    Compagnon-Medium.otf
fonts-courier-prime; Quote-Unquote Apps; OFL-1.1; printed
    Courier Prime.otf, Courier Prime Bold.otf
fonts-dosis; Edgar Tolentino, Pablo Impallari; OFL-1.1; printed
    Dosis-Book.otf
fonts-dotgothic16; The DotGothic16 Project Authors; OFL-1.1; printed
    DotGothic16-Regular.ttf
fonts-ebgaramond; Georg Duffner; OFL-1.1; printed
    EBGaramond12-Regular.otf
fonts-essays1743; John Stracke; OFL-1.1; printed
    Essays1743.ttf
fonts-firacode; Nikita Prokopov; OFL-1.1; printed
    FiraCode-Light.ttf
fonts-gfs-didot; Greek Font Society; OFL-1.1; printed
    GFSDidot.otf
fonts-glasstty; Viacheslav Slavinsky; Unlicense; printed
    Glass_TTY_VT220.ttf
fonts-gnutypewriter; Łukasz Komsta; OFL-1.1; printed
    GNUTypewriter.ttf
fonts-goudybookletter; Barry Schwartz; public domain; printed
    GoudyBookletter1911.otf
fonts-inter; The Inter Project Authors; OFL-1.1; printed
    Inter-Regular.otf, Inter-Black.otf
fonts-jetbrains-mono; JetBrains; Apache-2.0; printed
    JetBrainsMono-ExtraBold.ttf
fonts-junction; Caroline Hadilaksono; OFL-1.1; printed
    Junction.otf
fonts-jura; Daniel Johnson; OFL-1.1; printed
    Jura-Regular.otf
fonts-lato; Łukasz Dziedzic; OFL-1.1; printed
    Lato-Regular.ttf
fonts-league-mono; Tyler Finck; OFL-1.1; printed
    LeagueMono-Condensed.otf, LeagueMono-WideLight.otf
fonts-league-spartan; The League Spartan Authors; OFL-1.1; printed
    LeagueSpartan-Regular.otf, LeagueSpartan-Black.otf
fonts-liberation2; Google, Red Hat; OFL-1.1; printed
    LiberationMono-Regular.ttf, LiberationSans-Regular.ttf, LiberationSans-Bold.ttf,
    LiberationSans-Italic.ttf, LiberationSerif-Regular.ttf, LiberationSerif-Bold.ttf,
    LiberationSerif-Italic.ttf
fonts-linuxlibertine; Philipp H. Poll; OFL-1.1; printed
    LinLibertine_R.otf
fonts-lmodern; Bogusław Jackowski, Janusz M. Nowacki; GUST Font License; printed
    lmmono10-regular.otf, lmmonoltcond10-regular.otf, lmroman10-bold.otf
fonts-motoya-l-maruberi; Motoya; Apache-2.0; printed
    MTLmr3m.ttf
fonts-mplus; The M+ FONTS Project Authors; OFL-1.1; printed
    MplusCodeLatin50-Regular.otf
fonts-nanum; NAVER; OFL-1.1; printed
    NanumMyeongjo.ttf
fonts-nanum-extra; NAVER; OFL-1.1; printed
    NanumSquareRoundEB.ttf
fonts-national-park; Jeremy Shellhorn; OFL-1.1; printed
    NationalPark-Regular.otf
fonts-ocr-a; John Sauter; public domain; printed
    OCRA.ttf
fonts-ocr-b; Matthew Skala, Norbert Schwarz; public domain; printed
    OCRB.otf
fonts-oldstandard; Alexey Kryukov; OFL-1.1; printed
    OldStandard-Regular.ttf, OldStandard-Italic.ttf
fonts-open-sans; Google; Apache-2.0; printed
    OpenSans-Regular.ttf, OpenSans-CondLight.ttf, OpenSans-CondBold.ttf
fonts-opendin; Open Source Publishing; OFL-1.1; printed
    OSP-DIN.ttf
fonts-play; Jonas Hecksher; OFL-1.1; printed
    Play-Regular.ttf
fonts-proggy; Tristan Grimmer; MIT; printed
    ProggyTiny.ttf
fonts-quicksand; The Quicksand Project Authors; OFL-1.1; printed
    Quicksand-Bold.ttf
fonts-radisnoir; Gaël Goy; OFL-1.1; printed
    RadisSans-medium.otf
fonts-roadgeek; Sammi De Guzman; MIT; printed
    RG2014C.ttf, RG2014E.ttf
fonts-roboto-slab; Google; Apache-2.0; printed
    RobotoSlab-Regular.otf
fonts-roboto-unhinted; Google; Apache-2.0; printed
    Roboto-Regular.ttf, Roboto-Black.ttf, Roboto-Thin.ttf, RobotoCondensed-Bold.ttf
fonts-routed-gothic; Darren Embry; OFL-1.1; printed
    routed-gothic.ttf, routed-gothic-italic.ttf, routed-gothic-wide.ttf
fonts-spleen; Frederic Cambus; BSD-2-Clause; printed
    spleen-8x16.otf
fonts-stix; STI Pub Companies; OFL-1.1; printed
    STIX-Regular.otf
fonts-texgyre; Bogusław Jackowski, Janusz M. Nowacki; GUST Font License; printed
    texgyreadventor-regular.otf, texgyrebonum-bold.otf, texgyrecursor-regular.otf,
    texgyreheroscn-regular.otf, texgyreschola-bold.otf
fonts-yanone-kaffeesatz; The Yanone Kaffeesatz Project Authors; OFL-1.1; printed
    YanoneKaffeesatz-Regular.otf
matplotlib; Bitstream, Tavmjong Bah; Bitstream Vera and DejaVu; printed
    DejaVuSans.ttf, DejaVuSansMono.ttf, DejaVuSerif.ttf
fonts-bwht; Red Hat; OFL-1.1; handwritten
    BecauseWeBuild-Regular.otf, BecauseWeConnect-Regular.otf, BecauseWeCreate-Regular.otf,
    BecauseWeLearn-Regular.otf, BecauseWeMentor-Regular.otf, BecauseWeOrganize-Regular.otf
fonts-cegui; TypeSETit; OFL-1.1; handwritten
    GreatVibes-Regular.ttf
fonts-comic-neue; Craig Rozynski; OFL-1.1; handwritten
    ComicNeue-Light.otf, ComicNeue-Bold.otf
fonts-dancingscript; Pablo Impallari; OFL-1.1; handwritten
    DancingScript-Regular.otf
fonts-dkg-handwriting; Daniel Kahn Gillmor; OFL-1.1; handwritten
    dkg.ttf, dkgBd.ttf, dkgIt.ttf
fonts-ecolier-court; Jean-Marie Douteau; OFL-1.1; handwritten
    Ecolier-court.ttf
fonts-havana; Stowarzyszenie Kulturotwórcze Miastodwa; OFL-1.1; handwritten
    Havana-Regular.otf
fonts-humor-sans; Michael Ciuffo; OFL-1.1; handwritten
    Humor-Sans.ttf
fonts-kaushanscript; Pablo Impallari; OFL-1.1; handwritten
    KaushanScript-Regular.otf
fonts-kiloji; Kilo; BSD-3-Clause; handwritten
    kiloji.ttf, kiloji_b.ttf
fonts-klee; The Klee Project Authors; OFL-1.1; handwritten
    KleeOne-Regular.ttf
fonts-kouzan-mouhitsu; Kouzan Aoyagi; public domain; handwritten
    kouzan-mouhitsu.ttf
fonts-kristi; Birgit Pulk; OFL-1.1; handwritten
    Kristi.ttf
fonts-ldco; Louis David & Co., Nikita Turuntsev; OFL-1.1; handwritten
    Amit.ttf, HarSinai.ttf, Noam.ttf, YamSuf.ttf
fonts-leckerli-one; Gesine Todt; OFL-1.1; handwritten
    LeckerliOne-Regular.ttf
fonts-nanum-extra; NAVER; OFL-1.1; handwritten
    NanumBarunpenR.ttf, NanumBrush.ttf, NanumPen.ttf
fonts-navilu; Aravinda VK, IISC Bangalore; OFL-1.1; handwritten
    Navilu.ttf
fonts-seto; Nozomi Seto; OFL-1.1; handwritten
    setofont.ttf
fonts-smc-chilanka; The Chilanka Project Authors; OFL-1.1; handwritten
    Chilanka-Regular.otf
fonts-smc-karumbi; Kevin & Siji, Santhosh Thottingal; OFL-1.1; handwritten
    Karumbi-Regular.ttf
fonts-texgyre; Bogusław Jackowski, Janusz M. Nowacki; GUST Font License; handwritten
    texgyrechorus-mediumitalic.otf
fonts-tomsontalks; Frank Bruder; OFL-1.1; handwritten
    TomsonTalks.ttf
fonts-woowa-bm; Woowa Brothers; OFL-1.1; handwritten
    BMKIRANGHAERANG-TTF.ttf, BMYEONSUNG_ttf.ttf
fonts-yozvox-yozfont-edu; Y.Oz; OFL-1.1; handwritten
    YOzRE_.ttf, YOzREX.ttf, YOzBE_i.ttf
fonts-yusei-magic; The Yusei Magic Project Authors; OFL-1.1; handwritten
    YuseiMagic-Regular.ttf
fonts-dseg; Keshikan; OFL-1.1; segments
    DSEG7Classic-Regular.ttf, DSEG7Classic-Bold.ttf, DSEG7Classic-Light.ttf,
    DSEG7Classic-Italic.ttf, DSEG7ClassicMini-Regular.ttf, DSEG7ClassicMini-BoldItalic.ttf,
    DSEG7Modern-Regular.ttf, DSEG7Modern-Bold.ttf, DSEG7Modern-LightItalic.ttf,
    DSEG7Modern-BoldItalic.ttf, DSEG7ModernMini-Regular.ttf, DSEG7ModernMini-Light.ttf,
    DSEG14Classic-Regular.ttf, DSEG14Modern-BoldItalic.ttf
"""


def typefaces(folder):
    """Yield the name, kind, licence, copyright holder, package and font file of each typeface."""
    for line in TYPEFACES.strip().split("\n"):
        if not line.startswith(" "):
            package, holder, licence, kind = line.split("; ")
            continue
        for file in line.strip(" ,").split(", "):
            paths = sorted((folder / package).rglob(file))
            if not paths:
                raise SystemExit(
                    f"{folder / package} contains no {file}; unpack the package there."
                )
            yield Path(file).stem, kind, licence, holder, package, paths[0]


def digits_of(path):
    """Draw the digits 0 to 9 of a font, each cropped to its ink.

    Parameters
    ----------
    path : Path
        The font's file.

    Returns
    -------
    list of ndarray of shape (height, width), uint8
        Grey levels, bright on black. The median of the heights is HEIGHT.
    """
    size = 10 * HEIGHT
    height = np.median([len(drawn(path, size, digit)) for digit in range(10)])
    # Slightly smaller, because rounding up may add a row.
    size *= (HEIGHT - 0.25) * FINER / height
    return [shrunk(drawn(path, size, digit)) for digit in range(10)]


def drawn(path, size, digit):
    """Draw a digit at a font size in pixels, cropped to its ink."""
    font = ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
    left, top, right, bottom = font.getbbox(str(digit))
    image = Image.new("L", (int(right - left) + 8, int(bottom - top) + 8))
    ImageDraw.Draw(image).text((4 - left, 4 - top), str(digit), fill=255, font=font)
    return np.asarray(image.crop(image.getbbox()))


def shrunk(ink):
    """Reduce the resolution of ink by the factor FINER; padding keeps the ink centred."""
    margins = [-length % FINER for length in ink.shape]
    ink = np.pad(ink, [(margin // 2, margin - margin // 2) for margin in margins])
    image = Image.fromarray(ink).reduce(FINER)
    return np.asarray(image.crop(image.getbbox()))


def write_arrays(path, arrays):
    """Write arrays like np.savez_compressed, but without dates, so that the bytes are the same."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            file = io.BytesIO()
            np.save(file, array, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy")
            archive.writestr(info, file.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)


def write_credits(path, rows):
    """Write a table of the typefaces with their licences and copyright holders."""
    lines = [
        "# Fonts in glyphs.npz",
        "",
        "`glyphs.npz` holds bitmaps of the digits 0 to 9 of these openly licensed fonts; "
        "`benchmarks/make_glyphs.py` makes it.",
        "",
        "| Typeface | Kind | Licence | Copyright holder | Package |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder with one subfolder of fonts per package")
    images, sizes, rows = [], [], []
    for *row, path in typefaces(parser.parse_args().folder):
        digits = digits_of(path)
        shapes = np.array([digit.shape for digit in digits], np.int16)
        if (shapes.max(axis=0) > BOX).any():
            message = f"{row[0]} is skipped: its digits have up to {shapes.max(axis=0)} pixels."
            print(message, file=sys.stderr)
            continue
        boxes = np.zeros((10, *BOX), np.uint8)
        for box, digit in zip(boxes, digits, strict=True):
            box[: digit.shape[0], : digit.shape[1]] = digit
        images.append(boxes)
        sizes.append(shapes)
        rows.append(row)
    names, kinds, *_ = zip(*rows, strict=True)
    arrays = {"images": images, "sizes": sizes, "kinds": kinds, "names": names}
    write_arrays(TARGET / "glyphs.npz", {name: np.array(a) for name, a in arrays.items()})
    write_credits(TARGET / "GLYPHS.md", rows)


if __name__ == "__main__":
    main()
