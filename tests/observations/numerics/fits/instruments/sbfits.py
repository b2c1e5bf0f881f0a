"""Headers by the programs of the first CCD cameras, which follow SBFITSEXT 1.0: MaxIm DL, CCDSoft, TheSkyX, AstroFX."""

from __future__ import annotations

from tests.observations.numerics.fits.instruments.record import Instrument, Refusal, at

SBFITS: tuple[Instrument, ...] = (
    Instrument(
        name="MaxIm DL 5.24 at iTelescope T33, calibrated, solved by PinPoint",
        software="MaxIm DL 5.24",
        is_amateur=True,
        source="PhotonFinder, sample headers; MaxIm DL's list of keywords: DATE-OBS is the start, PEDESTAL is added "
        "for zero-based counts, CALSTAT says B(ias) D(ark) F(lat). DATE is the exposure's date in the form of old, and "
        "ST that of the solution, five minutes later",
        cards="""
            BITPIX = 16 | BSCALE = 1.0 | BZERO = 32768.0
            DATE-OBS = '2018-07-04T14:03:03' / [ISO 8601] UTC date/time of exposure start
            EXPTIME = 3.00000000000E+002 / [sec] Duration of exposure
            EXPOSURE = 3.00000000000E+002 / [sec] Duration of exposure
            SET-TEMP = -35.000000000000000 /CCD temperature setpoint in C
            CCD-TEMP = -34.993802250000002 /CCD temperature at start of exposure in C
            XPIXSZ = 7.4000000000000004 /Pixel Width in microns (after binning)
            XBINNING = 1 / Binning level along the X-axis | YBINNING = 1 / Binning level along the Y-axis
            READOUTM = 'Monochrome' / Readout mode of image | FILTER = 'SII     ' / Filter name
            IMAGETYP = 'Light Frame' / Type of image | SITELAT = '-31 16 24' / Latitude of the imaging location
            SITELONG = '149 03 52' / Longitude of the imaging location
            JD = 2458304.0854513887 /Julian Date at start of exposure
            TRAKTIME = 4.0000000000000000 /Exposure time used for autoguiding
            FOCALLEN = 1425.0000000000000 /Focal length of telescope in mm
            SWCREATE = 'MaxIm DL Version 5.24 140126 0KJR5' /Name of software that created
            OBJECT = 'm17     ' / Target object name | TELESCOP = 'iTelescope 33' / Telescope name
            INSTRUME = 'Apogee USB/Net' / Detector instrument name
            PEDESTAL = -100 /Correction to add for zero-based ADU | CALSTAT = 'BDF     '
            HISTORY Dark Subtraction (Dark 10, 4864 x 3232, Bin1 x 1, Temp -35C,
            HIERARCH iTelescopePlateScaleH = '1.07352112676056'
            DATE = '04/07/18' / [old format] UTC date of exposure start
            TIME-OBS = '14:03:03' / [old format] UTC time of exposure start
            UT = '14:03:03' / [old format] UTC time of exposure start | TIMESYS = 'UTC     ' / Default time system
            RADECSYS = 'FK5     ' / Equatorial coordinate system
            AIRMASS = 1.04162552350E+000 / Airmass (multiple of zenithal airmass)
            ST = '18 55 09.27' / Local apparent sidereal time of exp. start
            LAT-OBS = -3.12736111111E+001 / [deg +N WGS84] Geodetic latitude
            LONG-OBS = 1.49064444444E+002 / [deg +E WGS84] Geodetic longitude
            ALT-OBS = 1.16500000000E+003 / [metres] Altitude above mean sea level
            RA = '18 20 48.12' / [hms J2000] Target right ascension
            OBJCTRA = '18 20 48.12' / [hms J2000] Target right ascension
            DEC = '-16 10 58.8' / [dms +N J2000] Target declination
            OBJCTDEC = '-16 10 58.8' / [dms +N J2000] Target declination
        """,
        shape=(3232, 4864),
        expected={
            "kind": "light",
            "mjd_utc": at("2018-07-04T14:03:03", 150.0),
            "exposure_s": 300.0,
            "sky": (275.2005, -16.183, 3.0),
            "pixel_scale_arcsec": 1.07113,
            "filter_band": "SII",
            "gain_e_per_adu": None,
            "pedestal_adu": -100.0,
            "calibrated": ("bias", "dark", "flat"),
            "ccd_temperature_c": -34.9938,
            "binning": "1x1",
            "readout_mode": "Monochrome",
            "camera": "Apogee USB/Net",
            "site_latitude_deg": -31.27333,
            "site_longitude_deg": 149.06444,
            "site_height_m": 1165.0,
            "airmass": 1.041626,
        },
    ),
    Instrument(
        name="MaxIm DL 6.27 at iTelescope T31, raw",
        software="MaxIm DL 6.27",
        is_amateur=True,
        source="AstroPhotography, notes on metadata; the same writer in other words. The target is in the file's name "
        "only; JD agrees with DATE-OBS as the start; PEDESTAL 0 and no CALSTAT: nothing was taken off",
        cards="""
            BITPIX = 16 | BZERO = 32768.0 | DATE-OBS = '2021-12-29T15:42:46.53' /YYYY-MM-DDThh:mm:ss observation, UT
            EXPTIME = 300.00000000000000 /Exposure time in seconds | EXPOSURE = 300.0 /Exposure time in seconds
            SET-TEMP = -25.000000000000000 /CCD temperature setpoint in C
            CCD-TEMP = -25.000000000000000 /CCD temperature at start of exposure in C
            XPIXSZ = 12.000000000000000 /Pixel Width in microns (after binning)
            XBINNING = 1 /Binning factor in width | YBINNING = 1 /Binning factor in height
            READOUTM = '8 MHz (RBI Flood)' / Readout mode of image | FILTER = 'Green   ' / Filter used when taking image
            IMAGETYP = 'Light Frame' / Type of image | FOCALLEN = 2259.0000000000000 /Focal length of telescope in mm
            SBSTDVER = 'SBFITSEXT Version 1.0' /Version of SBFITSEXT standard in effect
            SWCREATE = 'MaxIm DL Version 6.27 211016 1NURE' /Name of software
            SITELAT = '-31 16 24' / Latitude of the imaging location
            SITELONG = '149 04 11' / Longitude of the imaging location
            JD = 2459578.1547052083 /Julian Date at time of exposure
            JD-HELIO = 2459578.1556659853 /Heliocentric Julian Date at time of exposure
            OBJECT = '        ' | TELESCOP = '        ' / telescope used to acquire this image
            INSTRUME = 'FLI     ' / instrument or camera used | ROWORDER = 'TOP-DOWN' / Image write order
            PEDESTAL = 0 /Correction to add for zero-based ADU | SWOWNER = 'Brad Moore' / Licensed owner of software
        """,
        shape=(3056, 3056),
        given={"ra_deg": 119.9, "dec_deg": 11.0},
        refused=Refusal(("no_pointing",), ("--ra and --dec",)),
        expected={
            "mjd_utc": at("2021-12-29T15:42:46.53", 150.0),
            "exposure_s": 300.0,
            "pixel_scale_arcsec": 1.09569,
            "filter_band": "Green",
            "gain_e_per_adu": None,
            "pedestal_adu": 0.0,
            "calibrated": (),
            "ccd_temperature_c": -25.0,
            "readout_mode": "8 MHz (RBI Flood)",
            "site_longitude_deg": 149.06972,
        },
        within={"mjd_utc": 0.1},
    ),
    Instrument(
        name="MaxIm DL 6.20 driven by a robot, mount in hours and of date",
        software="MaxIm DL 6.20",
        is_amateur=True,
        source="Photon Ranch, an example header; MNT-RA is in hours, MNTRDSYS says J.now, ALTITUDE is the telescope's "
        "angle above the horizon and no height; GAIN and RDNOISE are measured electrons here",
        cards="""
            BITPIX = 16 | DATE-OBS = '2019-07-10T03:28:55' /YYYY-MM-DDThh:mm:ss observation start, UT
            EXPTIME = 3.0000000000000000 /Exposure time in seconds | EXPOSURE = 3.0 /Exposure time in seconds
            CCD-TEMP = -20.116800000000001 /CCD temperature at start of exposure in C
            XPIXSZ = 13.500000000000000 /Pixel Width in microns (after binning)
            XBINNING = 1 /Binning factor in width | YBINNING = 1 /Binning factor in height
            READOUTM = 'Monochrome' / Readout mode of image | FILTER = 'w       ' / Filter used when taking image
            IMAGETYP = 'Light Frame' / Type of image | FOCALLEN = 2923.1000976562500 /Focal length of telescope in mm
            SWCREATE = 'MaxIm DL Version 6.20 200613 23VP3' /Name of software
            SITELAT = '34 20 35' / Latitude of the imaging location | SITELONG = '-119 40 52' / Longitude of the imaging
            JD = 2458674.6450810186 /Julian Date at start of exposure
            JD-HELIO = 2458674.6468506418 /Heliocentric Julian Date at exposure midpoint
            INSTRUME = 'Apogee USB/Net' | BUNIT = 'adu     ' | IMGTYPE = 'Light   ' | MNT-SIDT = 14.69762
            MNT-RA = 16.331835 | MNT-HA = 25.6342 | MNT-DEC = 6.3171 | AZIMUTH = 135.479 | ALTITUDE = 53.976
            AIRMASS = 1.236 | MNTRDSYS = 'J.now   ' | CAMNAME = 'ea03    ' | GAIN = 1.18 | RDNOISE = 5.82
            PIXSCALE = 0.95
        """,
        shape=(2048, 2098),
        given={"ra_deg": 244.74, "dec_deg": 6.36},
        expected={
            "kind": "light",
            "mjd_utc": at("2019-07-10T03:28:55", 1.5),
            "exposure_s": 3.0,
            "pixel_scale_arcsec": 0.95,
            "filter_band": "w",
            "gain_e_per_adu": 1.18,
            "read_noise_e": 5.82,
            "ccd_temperature_c": -20.1168,
            "site_latitude_deg": 34.34306,
            "site_longitude_deg": -119.68111,
            "site_height_m": None,
            "pixel_unit": "adu",
        },
    ),
    Instrument(
        name="MaxIm DL 6.18, PinPoint, astropy: every way to write a place",
        software="MaxIm DL 6.18",
        is_amateur=True,
        source="msumastro, test data; Feder Observatory stands at 96.45 degrees west (SITELONG), LONG-OBS is a slip of "
        "the keyboard and ST was computed from it. CD beside PC and CDELT 1; JD-OBS starts, HJD and BJD are others' "
        "time; ALTITUDE is an angle, ALT-OBS a height",
        cards="""
            BITPIX = 16 | BZERO = 32768 | DATE-OBS = '2018-08-23T08:49:30' / ISO-8601 observation date matching MJD-OBS
            EXPTIME = 9.00000000000E+001 / [sec] Duration of exposure
            CCD-TEMP = -19.984783500000002 /CCD temperature at start of exposure in C
            XPIXSZ = 9.0000000000000000 /Pixel Width in microns (after binning)
            XBINNING = 1 / Binning level along the X-axis | YBINNING = 1 / Binning level along the Y-axis
            READOUTM = 'Monochrome' / Readout mode of image | FILTER = 'r       ' / Filter name
            IMAGETYP = 'LIGHT   ' / Type of image | FOCALLEN = 3292.9 / Focal length of telescope in mm
            SWCREATE = 'MaxIm DL Version 6.18 190601 00KPP' /Name of software
            SITELAT = '46 52 00' / Latitude of the imaging location | SITELONG = '-96 27 12' / Longitude of the imaging
            JD = 2458353.8677083333 /Julian Date at start of exposure
            JD-HELIO = 2458353.8732839497 /Heliocentric Julian Date at exposure midpoint
            OBJECT = 'kelt-16-b' / Target object name | INSTRUME = 'AspenCG16' / Detector instrument name
            PEDESTAL = 0 /Correction to add for zero-based ADU
            JD-OBS = 2458353.8677083 | HJD-OBS = 2458353.8717368 | BJD-OBS = 2458353.8725424
            AZIMUTH = 267.4236 | ALTITUDE = 48.3525 | HA = '03 25 01.57' | READMODE = 'Monochrome'
            DATE = '23/08/18' / [old format] UTC date of exposure start
            TIME-OBS = '08:49:30' / [old format] UTC time of exposure start | TIMESYS = 'UTC     ' / Default time system
            RADECSYS = 'FK5     ' / Equatorial coordinate system
            ST = '00 22 05.97' / Local apparent sidereal time of exp. start
            LAT-OBS = 4.68667833333E+001 / [deg +N WGS84] Geodetic latitude
            LONG-OBS = -9.84532750000E+001 / [deg +E WGS84] Geodetic longitude
            ALT-OBS = 3.11000000000E+002 / [metres] Altitude above mean sea level
            RA = '20 57 04.40' / [hms J2000] Target right ascension
            OBJCTRA = '20 57 04.40' / [hms J2000] Target right ascension
            DEC = '+31 39 39.6' / [dms +N J2000] Target declination
            OBJCTDEC = '+31 39 39.6' / [dms +N J2000] Target declination
            FWHM = 5.41923182011E+000 / [pixels] Mean Full-Width-Half-Max of image star
            EPOCH = 2000.0 / (incorrect but needed by old programs)
            CROTA1 = 1.27614099589E+001 / [deg] Roll angle wrt X-axis | CROTA2 = 1.27614099589E+001 / [deg] Roll angle
            CD1_1 = 1.52533622018E-004 / Change in RA---TAN along X | CD1_2 = -3.45467829608E-005 / Change in RA along Y
            CD2_1 = 3.45467673364E-005 / Change in DEC along X | CD2_2 = 1.52533691003E-004 / Change in DEC along Y
            TR1_0 = 2.05450011904E+003 / [private] X-axis distortion coefficients | BUNIT = 'adu     ' | WCSAXES = 2
            CRPIX1 = 2054.5 | CRPIX2 = 2048.0 | PC1_1 = 0.000152533622018 | PC1_2 = -3.45467829608E-05
            PC2_1 = 3.45467673364E-05 | PC2_2 = 0.000152533691003 | CDELT1 = 1.0 | CDELT2 = 1.0 | CUNIT1 = 'deg'
            CUNIT2 = 'deg' | CTYPE1 = 'RA---TAN' | CTYPE2 = 'DEC--TAN' | CRVAL1 = 314.269120727 | CRVAL2 = 31.6610632379
            LONPOLE = 180.0 | LATPOLE = 31.6610632379 | RADESYS = 'FK5' | EQUINOX = 2000.0
            MJD-OBS = 58353.367708333 / [d] MJD of observation matching DATE-OBS
        """,
        shape=(4096, 4109),
        expected={
            "kind": "light",
            "mjd_utc": at("2018-08-23T08:49:30", 45.0),
            "exposure_s": 90.0,
            "sky": (314.26912, 31.66106, 2.0),
            "pixel_scale_arcsec": 0.563029,
            "wcs_quality": "header",
            "filter_band": "r",
            "seeing_arcsec": 3.0512,
            "site_latitude_deg": 46.86667,
            "site_longitude_deg": -96.45333,
            "site_height_m": 311.0,
            "calibrated": (),
            "pixel_unit": "adu",
        },
        doubted=("site",),
    ),
    Instrument(
        name="MaxIm DL 5.24, binned 3 x 3",
        software="MaxIm DL 5.24",
        is_amateur=True,
        source="ProperImage, test data; XPIXSZ is the width after binning, by its comment and by SBFITSEXT: 27 micron "
        "are three of 9",
        cards="""
            BITPIX = 16 | BZERO = 32768 | DATE-OBS = '2015-12-27T06:27:38' /YYYY-MM-DDThh:mm:ss observation start, UT
            EXPTIME = 60.000000000000000 /Exposure time in seconds
            CCD-TEMP = -19.994213250000001 /CCD temperature at start of exposure in C
            XPIXSZ = 27.000000000000000 /Pixel Width in microns (after binning)
            XBINNING = 3 /Binning factor in width | YBINNING = 3 /Binning factor in height
            READOUTM = 'Monochrome (Preflash)' /Readout mode of image | FILTER = 'Clear   ' / Filter used
            IMAGETYP = 'Light Frame' / Type of image | SITELAT = '-31 35 48' / Latitude of the imaging location
            SITELONG = '-64 32 56' / Longitude of the imaging location
            JD = 2457383.7691898150 /Julian Date at start of exposure | FOCALLEN = 7475.0 /Focal length of telescope
            SWCREATE = 'MaxIm DL Version 5.24 130605 0QTH7' /Name of software that created
            OBJECT = 'eso085-030' | INSTRUME = 'Apogee USB/Net'
        """,
        shape=(682, 1024),
        given={"ra_deg": 76.0, "dec_deg": -63.4},
        refused=Refusal(("no_pointing",), ("--ra and --dec",)),
        expected={
            "mjd_utc": at("2015-12-27T06:27:38", 30.0),
            "pixel_scale_arcsec": 0.745036,
            "filter_band": "Clear",
            "binning": "3x3",
            "site_longitude_deg": -64.54889,
            "readout_mode": "Monochrome (Preflash)",
        },
    ),
    Instrument(
        name="MaxIm DL 5.21 by AstroImageJ, site typed wrong",
        software="MaxIm DL 5.21",
        is_amateur=True,
        source="msumastro, test data; floating point after AstroImageJ. -97 12 12 is what the observatory had typed; "
        "that it is 96.45 cannot be known from here. OBJCTHA is in hours",
        cards="""
            BITPIX = -32 | BZERO = 0 | BSCALE = 1
            DATE-OBS = '2013-03-11T03:35:20' /YYYY-MM-DDThh:mm:ss observation start, UT
            EXPTIME = 90.000000000000000 /Exposure time in seconds | EXPOSURE = 90.0 /Exposure time in seconds
            CCD-TEMP = -42.000106500000001 /CCD temperature at start of exposure in C
            XPIXSZ = 9.0000000000000000 /Pixel Width in microns (after binning) | XBINNING = 1 | YBINNING = 1
            IMAGETYP = 'LIGHT   ' / Type of image | OBJECT = 'ey-uma  '
            OBJCTRA = '09 02 22' / Nominal Right Ascension of center of image
            OBJCTDEC = '+49 49 09' / Nominal Declination of center of image
            OBJCTALT = ' 82.8429' / Nominal altitude of center of image
            OBJCTHA = ' -0.6567' / Nominal hour angle of center of image
            SITELAT = '46 52 00' / Latitude of the imaging location | SITELONG = '-97 12 12' / Longitude of the imaging
            JD = 2456362.6495370371 /Julian Date at start of exposure
            JD-HELIO = 2456362.6533432282 /Heliocentric Julian Date at exposure midpoint
            FOCALLEN = 3325.0000000000000 /Focal length of telescope in mm
            SWCREATE = 'MaxIm DL Version 5.21 130912 01A17' /Name of software that created
            TELESCOP = 'FEDER   ' / telescope used to acquire this image | INSTRUME = 'Apogee USB/Net'
            FILTER = 'R       ' / Filter used when taking image
        """,
        shape=(4096, 4096),
        expected={
            "kind": "light",
            "mjd_utc": at("2013-03-11T03:35:20", 45.0),
            "sky": (135.5917, 49.8192, 30.0),
            "pixel_scale_arcsec": 0.558310,
            "filter_band": "R",
            "site_latitude_deg": 46.86667,
            "site_longitude_deg": -97.20333,
            "ccd_temperature_c": -42.0001,
        },
    ),
    Instrument(
        name="TheSkyX 10.5, a dark, longitude counted westward",
        software="TheSkyX 10.5",
        is_amateur=True,
        source="RFO image library, readme; Santa Rosa lies at 122.5 degrees west: SITELONG counts westward, OBSGEO-L "
        "eastward; LOCALTIM is summer time, LST is true of the place",
        cards="""
            BITPIX = 16 | BZERO = 32768 | EXPTIME = 120. / SBIGFITSEXT Total exposure time in seconds
            SWCREATE = 'TheSkyX Version 10.5.0 Build 12978' / SBIGFITSEXT Name & version of s
            PICTTYPE = 3 / Image type as index 0= Unknown 1=Light, 2=Bias,
            IMAGETYP = 'Dark Frame' / SBIGFITSEXT Light, Dark, Bias or Flat
            XBINNING = 2 / SBIGFITSEXT Binning factor in width | YBINNING = 2 / SBIGFITSEXT Binning factor in height
            CCD-TEMP = -20.02 / SBIGFITSEXT Temperature of the CCD | SET-TEMP = -20. / SBIGFITSEXT The cooler setpoint
            SITELAT = '+38 26 18.00' / SBIGFITSEXT Latitude of the imaging location
            SITELONG = '+122 30 31.00' / SBIGFITSEXT Longitude of the imaging location
            LST = '+16 02 59.58' / Local sidereal time | OBSGEO-B = 38.4383333333 / Latitude of the observation, North +
            OBSGEO-L = -122.5086111111 / Longitude of the observation in degrees, East +
            OBSGEO-H = 389. / Altitude of the observation in meters
            OBJCTRA = '14 45 19.847' / SBIGFITSEXT The right ascension of the center o
            OBJCTDEC = '+38 15 59.60' / SBIGFITSEXT The declination of the center of th
            INSTRUME = 'ASCOM Camera' / SBIGFITSEXT The model camera used.
            XPIXSZ = 12. / SBIGFITSEXT Pixel width in microns after binnin
            DATE-OBS = '2023-08-15T02:40:00.466' / SBIGFITSEXT UTC of start exp. in ISO 8601
            LOCALTIM = '8/14/2023 07:40:00.470 PM DST' / Local time at exposure start
        """,
        shape=(1799, 2249),
        expected={
            "kind": "dark",
            "mjd_utc": at("2023-08-15T02:40:00.466", 60.0),
            "exposure_s": 120.0,
            "binning": "2x2",
            "ccd_temperature_c": -20.02,
            "site_latitude_deg": 38.43833,
            "site_longitude_deg": -122.50861,
            "site_height_m": 389.0,
            "camera": "ASCOM Camera",
        },
        within={"mjd_utc": 0.01},
    ),
    Instrument(
        name="CCDSoft 5, longitude counted westward, position of date",
        software="CCDSoft 5.00",
        is_amateur=True,
        source="a FITS reader in Rust, test header; 53 14 25 N 6 32 11 E is Groningen: -006:32 counts westward, as LST "
        "confirms. LST less TELHA is OBJCTRA to 0.2 s: OBJCTRA is of date, 2020.3, and unsaid. FOCALLEN 0 is unset",
        cards="""
            BITPIX = -64 | BIAS = 100 | FOCALLEN = +0.000000000000E+000 | APTDIA = +0.000000000000E+000
            DATE-OBS = '2020-04-18T00:56:58.604' | TIME-OBS = '00:56:58.604        '
            SWCREATE = 'CCDSoft Version 5.00.218' | SET-TEMP = -2.000000000000E+001 | COLORCCD = 0
            IMAGETYP = 'Light Frame         ' | XBINNING = 3 | CCDXBIN = 3 | YBINNING = 3 | CCDYBIN = 3
            EXPSTATE = 293 | CCD-TEMP = -2.041762134545E+001 | TEMPERAT = -2.041762134545E+001
            OBJCTRA = '14 49 09.474        ' | OBJCTDEC = '+40 42 04.35        '
            TELTKRA = -1.000000000000E+003 | CENTAZ = +1.966280653172E+002 | CENTALT = +7.695155713274E+001
            TELHA = '00 20 20.742        ' | LST = '15 09 30.056        ' | AIRMASS = +1.026504260005E+000
            SITELAT = '+53:14:24.90        ' | SITELONG = '-006:32:11.02       '
            INSTRUME = 'SBIG STL-6303 3 CCD Camera' | EGAIN = +2.360000000000E+000 | E-GAIN = +2.360000000000E+000
            XPIXSZ = +2.700000000000E+001 | YPIXSZ = +2.700000000000E+001 | DATAMAX = 65535
            SBSTDVER = 'SBFITSEXT Version 1.0' | FILTER = 'R                   '
            EXPTIME = +3.000000000000E+002 | EXPOSURE = +3.000000000000E+002
        """,
        shape=(682, 1024),
        given={"pixel_scale_arcsec": 1.64},
        refused=Refusal(("no_wcs",), ("--pixel-scale",)),
        expected={
            "mjd_utc": at("2020-04-18T00:56:58.604", 150.0),
            "exposure_s": 300.0,
            "sky": (222.09481, 40.78491, 60.0),
            "filter_band": "R",
            "gain_e_per_adu": 2.36,
            "saturation": None,
            "binning": "3x3",
            "ccd_temperature_c": -20.4176,
            "site_latitude_deg": 53.24025,
            "site_longitude_deg": 6.53639,
            "camera": "SBIG STL-6303 3 CCD Camera",
        },
    ),
    Instrument(
        name="Celestron AstroFX 1.06, colour camera without pattern",
        software="Celestron AstroFX 1.06",
        is_amateur=True,
        source="msumastro, test data; a colour camera's mosaic by COLORTYP and XBAYROFF, the pattern itself unsaid; no "
        "target, no filter, no focal length",
        cards="""
            BITPIX = 16 | BZERO = 32768.0 | DATE-OBS = '2016-06-29T04:58:11' /YYYY-MM-DDThh:mm:ss observation start, UT
            EXPTIME = 60.000000000000000 /Exposure time in seconds | EXPOSURE = 60.0 /Exposure time in seconds
            SET-TEMP = -6.0 /CCD temperature setpoint in C | CCD-TEMP = -5.9400000000000004 /CCD temperature at start
            XPIXSZ = 4.7500000000000000 /Pixel Width in microns (after binning) | XBINNING = 1 | YBINNING = 1
            READOUTM = 'Raw     ' / Readout mode of image | IMAGETYP = 'LIGHT   ' / Type of image
            SWCREATE = 'Celestron AstroFX V1.06' /Name of software that created the image
            COLORTYP = 2 | XBAYROFF = 1 | YBAYROFF = 0 | OBJECT = 'Mette   '
            INSTRUME = 'Celestron Nightscape 10100' /instrument or camera used | SWOWNER = 'juan    '
        """,
        shape=(2760, 3916),
        given={"ra_deg": 200.0, "dec_deg": 40.0, "pixel_scale_arcsec": 1.0, "band": "L"},
        refused=Refusal(("no_band", "no_pointing"), ("--ra and --dec",)),
        expected={
            "mjd_utc": at("2016-06-29T04:58:11", 30.0),
            "exposure_s": 60.0,
            "ccd_temperature_c": -5.94,
            "readout_mode": "Raw",
            "camera": "Celestron Nightscape 10100",
        },
    ),
)
