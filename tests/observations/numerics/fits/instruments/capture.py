"""Headers by capture software that amateurs use: single exposures as they came from the camera."""

from __future__ import annotations

from tests.observations.numerics.fits.instruments.record import Instrument, Refusal, at

_UNPLACED = ("no_band", "no_pointing")

CAPTURE: tuple[Instrument, ...] = (
    Instrument(
        name="N.I.N.A. 1.10, colour camera, mount not connected",
        software="N.I.N.A. 1.10",
        is_amateur=True,
        source="PhotonFinder, sample headers; N.I.N.A.'s FITSHeader writes DATE-OBS from the start of the exposure in "
        "UTC, DATE-LOC in local time, and 00 00 00 where there is no target",
        cards="""
            BITPIX = 16 | BZERO = 32768 | IMAGETYP = 'LIGHT' / Type of exposure
            EXPOSURE = 30.0 / [s] Exposure duration | EXPTIME = 30.0 / [s] Exposure duration
            DATE-LOC = '2021-03-02T21:19:00.455' / Time of observation (local)
            DATE-OBS = '2021-03-02T20:19:00.455' / Time of observation (UTC)
            XBINNING = 1 / X axis binning factor | YBINNING = 1 / Y axis binning factor
            GAIN = 120 / Sensor gain | OFFSET = 30 / Sensor gain offset
            EGAIN = 1.00224268436432 / [e-/ADU] Electrons per A/D unit
            XPIXSZ = 4.63 / [um] Pixel X axis size | YPIXSZ = 4.63 / [um] Pixel Y axis size
            INSTRUME = 'ZWO ASI294MC Pro' / Imaging instrument name
            SET-TEMP = -10.0 / [degC] CCD temperature setpoint | CCD-TEMP = -10.0 / [degC] CCD temperature
            BAYERPAT = 'RGGB' / Sensor Bayer pattern
            XBAYROFF = 0 / Bayer pattern X axis offset | YBAYROFF = 0 / Bayer pattern Y axis offset
            OBJECT = 'MarsM45' / Name of the object of interest
            OBJCTRA = '00 00 00' / [H M S] RA of imaged object | OBJCTDEC = '+00 00 00' / [D M S] Declination of ..
            ROWORDER = 'TOP-DOWN' / FITS Image Orientation | EQUINOX = 2000.0 / Equinox of celestial coordinate system
            SWCREATE = 'N.I.N.A. 1.10.2.90' / Software that created this file
        """,
        shape=(2822, 4144),
        given={"ra_deg": 56.75, "dec_deg": 24.12, "pixel_scale_arcsec": 2.39, "band": "L"},
        refused=Refusal(_UNPLACED, ("OBJCTRA",)),
        expected={
            "kind": "light",
            "mjd_utc": at("2021-03-02T20:19:00.455", 15.0),
            "exposure_s": 30.0,
            "binning": "1x1",
            "ccd_temperature_c": -10.0,
            "camera": "ZWO ASI294MC Pro",
            "gain_setting": 120.0,
            "offset_setting": 30.0,
            "bayer_pattern": "RGGB",
            "calibrated": (),
        },
    ),
    Instrument(
        name="N.I.N.A. 3.2, solved by ASTAP",
        software="N.I.N.A. 3.2",
        is_amateur=True,
        source="notes on ASTAP's sidecars, 2026 (a copy of a N.I.N.A. header, site blanked); DATE-AVG is the middle "
        "of the exposure (FITSHeader.cs). RA, DEC are the mount's, 0.9 degrees from the solved centre",
        cards="""
            BITPIX = 16 | BZERO = 32768 | IMAGETYP = 'LIGHT' / Type of exposure | EXPTIME = 300.0 / [s] Exposure
            EXPOSURE = 300.0 / [s] Exposure duration
            DATE-LOC = '2026-07-28T23:12:39.9620845' / Time of observation (local)
            DATE-OBS = '2026-07-28T11:12:39.9620845' / Time of observation (UTC)
            MJD-OBS = 61249.46712919 / Modified Julian Date of observation
            DATE-AVG = '2026-07-28T11:15:10.0100053' / Averaged midpoint time (UTC)
            MJD-AVG = 61249.4688658565 / Modified Julian Date of averaged midpoint
            XBINNING = 1 / X axis binning factor | YBINNING = 1 / Y axis binning factor
            GAIN = 100 / Sensor gain | OFFSET = 0 / Sensor gain offset
            XPIXSZ = 2.9 / [um] Pixel X axis size | YPIXSZ = 2.9 / [um] Pixel Y axis size
            INSTRUME = 'ATR585M' / Imaging instrument name
            CCD-TEMP = -9.9 / [degC] CCD temperature | SET-TEMP = -10.0 / [degC] CCD temperature setpoint
            READOUTM = 'High Dynamic Range' / Sensor readout mode
            TELESCOP = 'SV555' / Name of telescope | FOCALLEN = 243.0 / [mm] Focal length
            RA = 253.841369932903 / [deg] RA of telescope | DEC = -41.1207840782912 / [deg] Declination of telescope
            CENTALT = 61.2525 / [deg] Altitude of telescope
            AIRMASS = 1.14017044777361 / Airmass at frame center (Gueymard 1993)
            SITEELEV = 000.000000000000 / [m] Observation site elevation
            SITELAT = -00.000000 / [deg] Observation site latitude
            SITELONG = 000.000000 / [deg] Observation site longitude | FILTER = 'S' / Active filter name
            ROWORDER = 'TOP-DOWN' / FITS Image Orientation | EQUINOX = 2000.0 / Equinox of coordinates
            SWCREATE = 'N.I.N.A. 3.2.0.9001 (x64)' / Software that created this file
            CTYPE1 = 'RA---TAN' / first parameter RA | CTYPE2 = 'DEC--TAN' / second parameter DEC
            CUNIT1 = 'deg     ' / Unit of coordinates
            CRPIX1 = 1.920500000000E+003 / X of reference pixel | CRPIX2 = 1.080500000000E+003 / Y of reference pixel
            CRVAL1 = 2.542304674239E+002 / RA of reference pixel (deg)
            CRVAL2 = -4.031188058885E+001 / DEC of reference pixel (deg)
            CDELT1 = 6.815493225884E-004 / X pixel size (deg) | CDELT2 = 6.815136611953E-004 / Y pixel size (deg)
            CROTA1 = -5.885977836767E+001 / Image twist of X | CROTA2 = -5.886688782040E+001 / Image twist of Y
            CD1_1 = 3.524525325085E-004 / CD matrix | CD1_2 = 5.833409735730E-004 / CD matrix
            CD2_1 = -5.833541775493E-004 / CD matrix | CD2_2 = 3.523617089463E-004 / CD matrix
        """,
        shape=(2160, 3840),
        expected={
            "kind": "light",
            "mjd_utc": at("2026-07-28T11:15:10.01"),
            "exposure_s": 300.0,
            "sky": (254.2304674, -40.3118806, 2.0),
            "pixel_scale_arcsec": 2.4535,
            "wcs_quality": "header",
            "gain_e_per_adu": None,
            "gain_setting": 100.0,
            "offset_setting": 0.0,
            "binning": "1x1",
            "ccd_temperature_c": -9.9,
            "readout_mode": "High Dynamic Range",
            "camera": "ATR585M",
            "airmass": 1.14017,
            "bayer_pattern": None,
            "site_latitude_deg": None,
            "site_longitude_deg": None,
            "calibrated": (),
        },
    ),
    Instrument(
        name="Sequence Generator Pro 3.1",
        software="Sequence Generator Pro 3.1",
        is_amateur=True,
        source="PhotonFinder, sample headers; its authors on their forum: DATE-OBS and DATE-LOC are the start of the "
        "integration. CTYPE, CRPIX, CRVAL without any matrix are no world coordinates; EGAIN is that of gain 0, not of "
        "gain 120, and is not asserted",
        cards="""
            BITPIX = 16 | BZERO = 32768 | CRPIX1 = 2072 / reference spectrum pixel coordinate for axis 1
            CRPIX2 = 1411 / reference spectrum pixel coordinate for axis 2
            CTYPE1 = 'RA---TAN' / standard system and projection | CTYPE2 = 'DEC--TAN' / standard system and projection
            OBJECT = 'M57     ' / Object name | DATE-LOC = '2020-05-30T02:22:49.0968820' / Local observation date
            DATE-OBS = '2020-05-30T00:22:49.0968820' / UTC observation date | IMAGETYP = 'LIGHT   ' / Type of frame
            CREATOR = 'Sequence Generator Pro v3.1.0.479' / Capture software
            INSTRUME = 'ZWO ASI294MC Pro' / Instrument name | SITEELEV = 10 / Elevation of the imaging site in meters
            SITELAT = '51 3 0.000' / Latitude of the imaging site in degrees
            SITELONG = '3 43 0.000' / Longitude of the imaging site in degrees
            FILTER = 'HaOIII  ' / Filter name | EXPOSURE = 30 / Exposure time in seconds
            CCD-TEMP = -17.5 / Camera cooler temperature | SET-TEMP = -18 / Camera cooler target temperature
            XBINNING = 1 / Camera X Bin | CCDXBIN = 1 / Camera X Bin | YBINNING = 1 / Camera Y Bin
            TELESCOP = 'EQMOD ASCOM HEQ5/6' / Telescope name
            RA = 283.395539831101 / Object Right Ascension in degrees | DEC = 33.0340625 / Object Declination in degrees
            CRVAL1 = 283.395539831101 / RA at image center in degrees | CRVAL2 = 33.0340625 / DEC at image center in deg
            OBJCTRA = '18 53 34.930' / Object Right Ascension in hms
            OBJCTDEC = '+33 02 02.625' / Object Declination in degrees | AIRMASS = 1.1136910218553 / Average airmass
            FOCALLEN = 1480 / The focal length of the telescope in mm | ANGLE = 258.37 / Image angle
            SCALE = 0.65415 / Image scale (arcsec / pixel) | PIXSCALE = 0.65415 / Image scale (arcsec / pixel)
            GAIN = 120 / Camera gain | EGAIN = 3.99000000953674 / Electrons Per ADU | OFFSET = 30 / Camera offset
        """,
        shape=(2822, 4144),
        expected={
            "kind": "light",
            "mjd_utc": at("2020-05-30T00:22:49.097", 15.0),
            "exposure_s": 30.0,
            "sky": (283.39554, 33.03406, 5.0),
            "pixel_scale_arcsec": 0.65415,
            "wcs_quality": "nominal",
            "filter_band": "HaOIII",
            "gain_setting": 120.0,
            "offset_setting": 30.0,
            "binning": "1x1",
            "ccd_temperature_c": -17.5,
            "site_latitude_deg": 51.05,
            "site_longitude_deg": 3.71667,
            "site_height_m": 10.0,
        },
    ),
    Instrument(
        name="Astro Photography Tool 3.54",
        software="APT 3.54",
        is_amateur=True,
        source="PhotonFinder, sample headers; DATE-OBS is the start by its own comment, JD is taken when the file is "
        "written: 245 s later after an exposure of 240 s. The mount speaks of the equinox of date, unsaid",
        cards="""
            BITPIX = 16 | BZERO = 32768 | OBJECT = 'TEST    ' / The name of Object Imaged
            TELESCOP = 'EQMOD HEQ5/6' / The Telescope used | INSTRUME = 'ZWO ASI294MC Pro' / The model Camera used
            DATE-OBS = '2018-09-17T21:04:46' / The UTC date and time at the start of the expo
            EXPTIME = 240. / The total exposure time in seconds
            XPIXSZ = 4.63 / Pixel width in microns (after binning)
            YPIXSZ = 4.63 / Pixel height in microns (after binning)
            XBINNING = 1 / Binning factor in width | YBINNING = 1 / Binning factor in height
            EGAIN = 1.00224268436432 / Electronic gain in e-/ADU
            FOCALLEN = 400 / Focal Length of the Telescope in mm | JD = 2458379.38114583 / Julian Date
            SWCREATE = 'Astro Photography Tool - APT v.3.54.1' / Imaging software
            SBSTDVER = 'SBFITSEXT Version 1.0' / Standard version | SNAPSHOT = 1 / Number of images combined
            SET-TEMP = -15. / The setpoint of the cooling in C | IMAGETYP = 'Light Frame' / The type of image
            OBJCTRA = '01 35 00' / The Right Ascension of the center of the image
            OBJCTDEC = '+30 44 25' / The Declination of the center of the image
            SITELAT = '+51 03 00.000' / The site Latitude | SITELONG = '+03 41 00.000' / The site Longitude
            GAIN = 120 / The gain set (if supported)
        """,
        shape=(2822, 4144),
        given={"band": "L"},
        expected={
            "kind": "light",
            "mjd_utc": at("2018-09-17T21:04:46", 120.0),
            "exposure_s": 240.0,
            "sky": (23.75, 30.74, 1300.0),
            "pixel_scale_arcsec": 2.3875,
            "gain_setting": 120.0,
            "binning": "1x1",
            "ccd_temperature_c": -15.0,
            "site_latitude_deg": 51.05,
            "site_longitude_deg": 3.68333,
            "calibrated": (),
        },
    ),
    Instrument(
        name="SharpCap 2.9, frame grabbed",
        software="SharpCap 2.9",
        is_amateur=True,
        source="PhotonFinder, sample headers (solved through AstroImageJ); the computer's clock is read when the frame "
        "arrives from the camera, so that DATE-OBS is the end of the exposure",
        cards="""
            BITPIX = 16 | BZERO = 32768.0 / data range offset | SWCREATE = 'SharpCap' / | CCD-TEMP = 12.7 /
            YBINNING = 1 / | XBINNING = 1 / | YPIXSZ = 2.90000009536743 / | XPIXSZ = 2.90000009536743 / | EXPTIME = 2 /
            DATE-OBS = '2019-04-29T20:25:29.8219583' / System Clock-Frame Grabbed
            INSTRUME = 'ZWO ASI290MM Mini' / | CTYPE1 = 'RA---TAN-SIP' | CTYPE2 = 'DEC--TAN-SIP'
            EQUINOX = 2000.0 / Equatorial coordinates definition (yr) | LONPOLE = 180.0 | LATPOLE = 0.0
            CRVAL1 = 251.337418297 / RA  of reference point | CRVAL2 = 89.049177068 / DEC of reference point
            CRPIX1 = 969 | CRPIX2 = 545 | CD1_1 = 0.000389383715878 | CD1_2 = 0.000788738076566
            CD2_1 = -0.000787298612487 | CD2_2 = 0.000389062499079 | A_ORDER = 2 | B_ORDER = 2
            A_0_2 = 5.53957795846E-07 | A_1_1 = -1.23639820451E-06 | A_2_0 = 3.75738837922E-07
            B_0_2 = -9.07325128016E-07 | B_1_1 = -8.18595386612E-07 | B_2_0 = 6.70695855884E-08
        """,
        shape=(1088, 1936),
        given={"band": "Clear"},
        refused=Refusal(("no_band",), ("--band",)),
        expected={
            "kind": "light",
            "mjd_utc": at("2019-04-29T20:25:29.822", -1.0),
            "exposure_s": 2.0,
            "sky": (251.3374, 89.04918, 4.0),
            "pixel_scale_arcsec": 3.16404,
            "wcs_quality": "header",
            "ccd_temperature_c": 12.7,
            "camera": "ZWO ASI290MM Mini",
        },
        within={"mjd_utc": 0.5},
    ),
    Instrument(
        name="SharpCap 3.2, frame received, saved again by MaxIm DL",
        software="SharpCap 3.2",
        is_amateur=True,
        source="EXOTIC, issue 1178 (the exposure is ours); as above in other words: no position, scale or filter",
        cards="""
            BITPIX = 8 | BSCALE = 1.0000000000000000 / | SWCREATE = 'SharpCap' / v3.2.5986.0, 32 bit
            DATE-OBS = '2023-05-10T19:00:48.2243843' / System Clock:Frame Received | EXPOSURE = 60.0 /
            GAIN = 360 / | BLKLEVEL = 1 / | INSTRUME = 'DMx 41AU02.AS' /
            INPUTFMT = 'FITS    ' / Format of file from which image was read
            SWMODIFY = 'MaxIm DL Version 5.23 121231 1Q4E8' / Name of software that modified
        """,
        shape=(960, 1280),
        given={"ra_deg": 184.0, "dec_deg": 6.0, "pixel_scale_arcsec": 1.2, "band": "V"},
        refused=Refusal(_UNPLACED, ("--ra",)),
        expected={
            "mjd_utc": at("2023-05-10T19:00:48.224", -30.0),
            "exposure_s": 60.0,
            "gain_e_per_adu": None,
            "gain_setting": 360.0,
            "offset_setting": 1.0,
            "camera": "DMx 41AU02.AS",
        },
    ),
)
