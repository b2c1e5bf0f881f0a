"""Headers by smart telescopes and by programs that know more of the camera: SharpCap 4, INDI, CCDciel, their stacks."""

from __future__ import annotations

from tests.observations.numerics.fits.instruments.record import Instrument, Refusal, at

SMART: tuple[Instrument, ...] = (
    Instrument(
        name="SharpCap 4.1, live stack of a colour camera",
        software="SharpCap 4.1, stack",
        is_amateur=True,
        source="PhotonFinder, tests; eight exposures of 35 s within 702 s: DATE-AVG and JD_UTC are the middle by their "
        "comments, DATE-OBS is 351 s before. EGAIN holds at the converter's 12 bits, EGAINSAV at the 16 bits saved. "
        "Positions are of date, as each comment says",
        cards="""
            BITPIX = 32 | EQUINOX = 2025.2154993242248 / | GAIN = 300 / | OBJECT = 'Markarian' / | OFFSET = 8 /
            BLKLEVEL = 8 / | SUBEXP = 8 / | CAMID = '112E900511080900' / | AIRMASS = 1.332408494005141 / Pickerings
            OBJCTAZ = 149.763599444 / | OBJCTDEC = '+12 53 33.000' / Epoch : JNOW | SET-TEMP = 0 /
            EGAIN = 0.1226 / Electrons per ADU at true ADC bit depth
            ADCBITS = 12 / Bit depth of camera sensor ADC in current mode
            BIASADU = 1082.87451171875 / ADU for bias level (no photons) at current sett
            EGAINSAV = 0.00766 / Electrons per ADU at saved bit depth
            RELGAIN = 30.814 / Multiplicative gain relative to minumum | OBJCTALT = 48.5618985732 /
            OBJCTRA = '12 29 23.000' / Epoch : JNOW | FOCALLEN = 312.5 / | RA = 187.3498863705 / Epoch : JNOW
            BSCALE = 1 / | ROWORDER = 'TOP-DOWN' / | EXPTIME = 280 / seconds
            XPIXSZ = 2.4 / microns, includes binning if any | XBINNING = 1 / | YBINNING = 1 /
            DEC = 12.8925716003 / Epoch : JNOW | CCD-TEMP = -0.5 / C | SWCREATE = 'SharpCap v4.1.12946.0, 64 bit' /
            DATE-OBS = '2025-03-19T22:51:59.3846323' / System Clock:Est. Frame Start
            DATE-END = '2025-03-19T23:03:40.4689935' / System Clock:Est. Frame End
            DATE-AVG = '2025-03-19T22:57:49.9268129' / System Clock:Est. Frame Mid Point
            JD_UTC = 2460754.4568278566 / Julian Date at mid exposure | RDNOISE = 1.7 / Read noise in electrons
            COLORTYP = 'RGB' / | INSTRUME = 'ZWO ASI183MC Pro' /
        """,
        shape=(3672, 5496),
        given={"band": "L"},
        refused=Refusal(("no_band",), ("--band",)),
        expected={
            "kind": "light",
            "mjd_utc": at("2025-03-19T22:57:49.927"),
            "exposure_s": 280.0,
            "sky": (187.03085, 13.03184, 20.0),
            "pixel_scale_arcsec": 1.58411,
            "gain_e_per_adu": 0.00766,
            "read_noise_e": 1.7,
            "gain_setting": 300.0,
            "offset_setting": 8.0,
            "camera_serial": "112E900511080900",
            "camera": "ZWO ASI183MC Pro",
            "ccd_temperature_c": -0.5,
            "bayer_pattern": None,
        },
    ),
    Instrument(
        name="SharpCap 4.1, QHY600 with a satellite clock that disagrees",
        software="SharpCap 4.1",
        is_amateur=True,
        source="Asteroid-Detection, test frame; the clock's exposure is 0.4 microseconds, EXPTIME 20 s: DATE-AVG (GPS "
        "mid) and JD_UTC lie 1 ms after DATE-OBS, DATE-END (frame received) 19 s after it. EXPTIME is true: DATE-END",
        cards="""
            BITPIX = 16 | BZERO = 32768 | BSCALE = 1 / | GPS_ET = '2024-11-27T17:35:48.0000000Z' / EndShutterTime
            GPS_ST = '2024-11-27T17:35:48.0000000Z' / StartShutterTime | GPS_LONG = 22.99562 / Longitude
            GPS_LAT = 40.562521 / Latitude | GPS_DSYS = 18.8590436 / System clock - GPS clock offset (s)
            GPS_EXPU = 0.39999999999417923 / Exposure (microseconds) | GPS_ALT = 0 / Altitude (m)
            CAMID = '53129a4b8619da940' / | AIRMASS = 1.12961420220E+000 / Airmass (multiple of zenithal airmass)
            EGAIN = 0.1579 / Electrons per ADU at true ADC bit depth | ADCBITS = 16 / Bit depth of camera sensor ADC
            BIASADU = 409.26824951171875 / ADU for bias level (no photons) at current sett | GPSSTAT = 'Locked' / GPS
            OFFSET = 30 / | BLKLEVEL = 30 / | ROWORDER = 'TOP-DOWN' /
            EXPTIME = 2.00000000000E+001 / [sec] Duration of exposure | XPIXSZ = 3.76 / microns, includes binning if any
            XBINNING = 1 / Binning level along the X-axis | YBINNING = 1 / Binning level along the Y-axis
            CCD-TEMP = -0 / C | FRAMETYP = 'Light' / | IMAGETYP = 'Light' /
            SWCREATE = 'SharpCap v4.1.12637.0, 64 bit' /
            DATE-OBS = '2024-11-27T17:35:48.190' / [ISO 8601] UTC date/time of exposure start
            DATE-OB2 = '2024-11-27T17:35:48.1908890' / GPS:End Exposure
            DATE-AVG = '2024-11-27T17:35:48.1908888' / GPS:Mid Exposure
            JD_UTC = 2460642.233196654 / Julian Date at mid exposure
            OBSLAT = 40.5626944444444 / | OBSLONG = 22.9955555555556 /
            RA = '21 08 41.00' / [hms J2000] Target right ascension | DEC = '+40 57 15.0' / [dms +N J2000] Target
            OBJCTRA = '21 08 41.00' / [hms J2000] Target right ascension | OBJCTDEC = '+40 57 15.0' / [dms +N J2000]
            EQUINOX = 2000.0 / Equatorial coordinates are J2000 | GAIN = 40 /
            EGAINSAV = 0.15793 / Electrons per ADU at saved bit depth
            DATE-END = '2024-11-27T17:36:07.0499326' / System Clock:Frame Received
            INSTRUME = 'QHY600M ' / Detector instrument name | DATE = '27/11/24' / [old format] UTC date of exposure
            TIME-OBS = '17:35:48' / [old format] UTC time of exposure start | TIMESYS = 'UTC     ' / Default time system
            FWHM = 5.09386072159E+000 / [pixels] Mean Full-Width-Half-Max of image star
            EPOCH = 2000.0 / (incorrect but needed by old programs) | CTYPE1 = 'RA---TAN' / X-axis coordinate type
            CRVAL1 = 3.16990465874E+002 / X-axis coordinate value | CRPIX1 = 5.12000000000E+002 / X-axis reference
            CDELT1 = -3.49408238942E-004 / [deg/pixel] X-axis plate scale
            CROTA1 = 1.08218080663E+001 / [deg] Roll angle wrt X-axis | CTYPE2 = 'DEC--TAN' / Y-axis coordinate type
            CRVAL2 = 4.08433800026E+001 / Y-axis coordinate value | CRPIX2 = 3.84000000000E+002 / Y-axis reference
            CDELT2 = 3.49371070817E-004 / [deg/pixel] Y-Axis Plate scale | CROTA2 = 1.08218080663E+001 / [deg] Roll
            CD1_1 = -3.43194313212E-004 / Change in RA---TAN | CD1_2 = -6.55962288789E-005 / Change in RA---TAN
            CD2_1 = -6.56032073869E-005 / Change in DEC--TAN | CD2_2 = 3.43157806090E-004 / Change in DEC--TAN
        """,
        shape=(768, 1024),
        given={"band": "Clear"},
        expected={
            "kind": "light",
            "mjd_utc": at("2024-11-27T17:35:57.8"),
            "exposure_s": 20.0,
            "sky": (316.990466, 40.84338, 2.0),
            "pixel_scale_arcsec": 1.25780,
            "gain_e_per_adu": 0.15793,
            "gain_setting": 40.0,
            "offset_setting": 30.0,
            "camera_serial": "53129a4b8619da940",
            "camera": "QHY600M",
            "ccd_temperature_c": 0.0,
            "seeing_arcsec": 6.4071,
            "site_latitude_deg": 40.56269,
            "site_longitude_deg": 22.99556,
        },
        doubted=("time",),
        within={"mjd_utc": 1.5},
    ),
    Instrument(
        name="Seestar S50, stack of 187",
        software="Seestar S50, stack",
        is_amateur=True,
        source="PhotonFinder, sample headers; DATE-OBS is when the image was created, by its comment, of exposures "
        "that "
        "last half an hour at least: neither start nor middle is known. IMAGETYP says Light and STACKCNT 187",
        cards="""
            BITPIX = 16 | BZERO = 32768 | CREATOR = 'ZWO Seestar S50' / Capture software | PRODUCER = 'ZWO     '
            FOCALLEN = 250 / Focal length of telescope in mm | APERTURE = 5. / Name of field of view aperture
            PROGRAM = '4.43    ' / The name of the software task that created the | XBINNING = 1 / Camera X Bin
            YBINNING = 1 / Camera Y Bin | XPIXSZ = 2.90000009536743 / pixel size in microns (with binning)
            IMAGETYP = 'Light   ' / Type of image | STACKCNT = 187 / Stack frames
            EXPOSURE = 10. / Exposure time in seconds | EXPTIME = 10. / Exposure time in seconds
            CCD-TEMP = 21.875 / sensor temperature in C | RA = 240.1125 / Object Right Ascension in degrees
            DEC = 20.661389 / Object Declination in degrees
            SITELONG = 3.69361 / longitude of the imaging site in degrees
            SITELAT = 51.0367 / latitude of the imaging site in degrees
            DATE-OBS = '2025-05-13T22:48:35.751879' / Image created time
            FILTER = 'IRCUT   ' / Filter used when taking image | INSTRUME = 'Seestar S50' / Camera model
            BAYERPAT = 'GRBG    ' / Bayer pattern | GAIN = 80 / Gain Value | TELESCOP = 'S50_1623087d' / Telescope name
            OBJECT = 'NGC 6027A' / name or catalog number of object being imaged
            TOTALEXP = 1870. / Total Exposure Time in seconds | CTYPE1 = 'RA---TAN-SIP' | CTYPE2 = 'DEC--TAN-SIP'
            CRVAL1 = 239.749404582 / RA  of reference point | CRVAL2 = 20.4682320597 / DEC of reference point
            CRPIX1 = 874.274200439 | CRPIX2 = 1213.47089386 | CD1_1 = -0.000535667741664 | CD1_2 = 0.000386027501134
            CD2_1 = -0.00038367750545 | CD2_2 = -0.000535539385897 | A_ORDER = 2 | B_ORDER = 2
            A_0_2 = -8.25073877036E-09 | A_1_1 = 1.53815950748E-06 | A_2_0 = -2.25311248679E-06
            B_0_2 = -3.36330062389E-07 | B_1_1 = 2.58182998521E-06 | B_2_0 = -6.13290665415E-06
        """,
        shape=(1920, 1080),
        expected={
            "kind": "light",
            "sky": (239.836029, 20.732053, 3.0),
            "pixel_scale_arcsec": 2.37431,
            "wcs_quality": "header",
            "filter_band": "IRCUT",
            "gain_e_per_adu": None,
            "gain_setting": 80.0,
            "ccd_temperature_c": 21.875,
            "camera": "Seestar S50",
            "site_latitude_deg": 51.0367,
            "site_longitude_deg": 3.69361,
        },
        doubted=("time",),
    ),
    Instrument(
        name="Seestar S50, one short exposure",
        software="Seestar S50",
        is_amateur=True,
        source="a student's report on plate solving; the same words, one exposure of 0.01 s: whatever DATE-OBS means, "
        "it is the time",
        cards="""
            BITPIX = 16 | BZERO = 32768 | CREATOR = 'ZWO Seestar S50' / Capture software
            FOCALLEN = 250 / Focal length of telescope in mm | EQMODE = 1 / Equatorial mode | XBINNING = 1
            XPIXSZ = 2.90000009536743 / pixel size in microns (with binning) | IMAGETYP = 'Light   ' / Type of image
            STACKCNT = 1 / Stack frames | EXPOSURE = 0.00999999977648258 / Exposure time in seconds
            EXPTIME = 0.00999999977648258 / Exposure time in seconds | CCD-TEMP = 24.0625 / sensor temperature in C
            RA = 118.87917 / Object Right Ascension in degrees | DEC = -0.5 / Object Declination in degrees
            SITELONG = -49.3536 / longitude of the imaging site in degrees
            SITELAT = -25.4431 / latitude of the imaging site in degrees
            DATE-OBS = '2025-06-05T00:39:21.574249' / Image created time | FILTER = 'IRCUT   ' / Filter used
            INSTRUME = 'Seestar S50' / Camera model | BAYERPAT = 'GRBG    ' / Bayer pattern | GAIN = 80 / Gain Value
            TELESCOP = 'S50_1d568bdd' / Telescope name | TOTALEXP = 0.00999999977648258 / Total Exposure Time
        """,
        shape=(1920, 1080),
        expected={
            "kind": "light",
            "mjd_utc": at("2025-06-05T00:39:21.574"),
            "exposure_s": 0.01,
            "sky": (118.87917, -0.5, 3.0),
            "pixel_scale_arcsec": 2.39267,
            "gain_setting": 80.0,
            "bayer_pattern": "GRBG",
            "site_latitude_deg": -25.4431,
            "site_longitude_deg": -49.3536,
            "ccd_temperature_c": 24.0625,
        },
    ),
    Instrument(
        name="DWARF II",
        software="DWARF II",
        is_amateur=True,
        source="PhotonFinder, sample headers; EXP is the exposure, BINNING is 2*2, RA (in hours) and DEC are 0 because "
        "nobody pointed; the file was written 16.5 s after DATE-OBS, which is the start",
        cards="""
            BITPIX = 16 | BZERO = 32768 | BSCALE = 1 | DATE-OBS = '2023-06-10T21:38:19.442' / Time start to exposure
            DATE = '2023-06-10T21:38:35.938' / Fits written to sd card | EXP = 15. / [s] Sub Exposure Time
            GAIN = 110 / Sub Gain | BINNING = '2*2     ' / n*n pixels add together
            RA = 0. / [h] Observe object RA coordinate (J2000) | DEC = 0. / [deg] Observe object DEC coordinate (J2000)
            OBJECT = '        ' / Observe object | BAYERPAT = 'GBRG    ' / Bayer pattern
            TELESCOP = 'DWARFII ' / DWARF II telescope | INSTRUME = 'DWARFII ' / DWARF II instrument
        """,
        shape=(1080, 1920),
        given={"ra_deg": 200.0, "dec_deg": 30.0, "pixel_scale_arcsec": 3.0, "band": "L"},
        refused=Refusal(("no_exposure", "no_band", "no_pointing"), ("RA",)),
        expected={
            "mjd_utc": at("2023-06-10T21:38:19.442", 7.5),
            "exposure_s": 15.0,
            "binning": "2x2",
            "gain_e_per_adu": None,
            "gain_setting": 110.0,
            "bayer_pattern": "GBRG",
            "camera": "DWARFII",
        },
    ),
    Instrument(
        name="INDI, simulated camera, turned and flipped by its own world coordinates",
        software="KStars/Ekos (INDI) 2",
        is_amateur=True,
        source="INDI, indiccd.cpp: XPIXSZ is after binning, PIXSIZE1 is not, SCALE and CDELT hold for what is saved; "
        "DATE-OBS is the start; positions are J2000. Both CDELT are positive: north up, east right, then CROTA",
        cards="""
            BITPIX = 16 | BZERO = 32768 | ROWORDER = 'TOP-DOWN' / Row Order | INSTRUME = 'CCD Simulator' / CCD Name
            TELESCOP = 'Telescope Simulator' / Telescope name | EXPTIME = 60.000 / Total Exposure Time (s)
            CCD-TEMP = -10.00 / CCD Temperature (Celsius) | PIXSIZE1 = 3.76 / Pixel Size 1 (microns)
            PIXSIZE2 = 3.76 / Pixel Size 2 (microns) | XBINNING = 2 / Binning factor in width
            YBINNING = 2 / Binning factor in height | XPIXSZ = 7.52 / X binned pixel size in microns
            YPIXSZ = 7.52 / Y binned pixel size in microns | FRAME = 'Light   ' / Frame Type
            IMAGETYP = 'Light Frame' / Frame Type | FILTER = 'Red     ' / Filter
            FOCALLEN = 500.000 / Focal Length (mm) | APTDIA = 100.000 / Telescope diameter (mm)
            ROTATANG = 0.000 / Rotator angle in degrees | SCALE = 3.102752 / arcsecs per pixel
            SITELAT = 51.050000 / Latitude of the imaging site in degrees
            SITELONG = 13.750000 / Longitude of the imaging site in degrees | AIRMASS = 1.643007 / Airmass
            OBJCTAZ = 112.109100 / Azimuth of center of image in Degrees
            OBJCTRA = ' 4 36 07.37' / Object J2000 RA in Hours | OBJCTDEC = '16 30 26.02' / Object J2000 DEC in Degrees
            RA = 69.030720 / Object J2000 RA in Degrees | DEC = 16.507230 / Object J2000 DEC in Degrees
            PIERSIDE = 'WEST    ' / West, looking East | EQUINOX = 2000 / Equinox | CRVAL1 = 69.03072 / CRVAL1
            CRVAL2 = 16.50723 / CRVAL1 | RADECSYS = 'FK5     ' / RADECSYS | CTYPE1 = 'RA---TAN' / CTYPE1
            CTYPE2 = 'DEC--TAN' / CTYPE2 | CRPIX1 = 800.0 / CRPIX1 | CRPIX2 = 600.0 / CRPIX2
            SECPIX1 = 3.102752 / SECPIX1 | SECPIX2 = 3.102752 / SECPIX2 | CDELT1 = 0.000861876 / CDELT1
            CDELT2 = 0.000861876 / CDELT2 | CROTA1 = 330.0 / CROTA1 | CROTA2 = 330.0 / CROTA2
            DATE-OBS = '2023-12-05T21:27:53.655' / UTC start date of observation | GAIN = 90.000 / Gain
            OFFSET = 0.000 / Offset | COMMENT Generated by INDI
        """,
        shape=(1200, 1600),
        expected={
            "kind": "light",
            "mjd_utc": at("2023-12-05T21:27:53.655", 30.0),
            "exposure_s": 60.0,
            "sky": (69.03072, 16.50723, 4.0),
            "pixel_scale_arcsec": 3.102752,
            "filter_band": "Red",
            "binning": "2x2",
            "gain_e_per_adu": None,
            "gain_setting": 90.0,
            "ccd_temperature_c": -10.0,
            "site_latitude_deg": 51.05,
            "site_longitude_deg": 13.75,
        },
    ),
    Instrument(
        name="INDI of 2013, right ascension as a number of hours",
        software="KStars/Ekos (INDI) 0.9",
        is_amateur=True,
        source="INDI 0.9, defaultdevice CCD: OBJCTRA and OBJCTDEC are the mount's RA in hours and declination of date, "
        "written as numbers; PIXSIZE1 is the detector's own; no word of the equinox",
        cards="""
            BITPIX = 16 | BZERO = 32768 | EXPTIME = 30.000 / Total Exposure Time (s)
            PIXSIZE1 = 5.2 / Pixel Size 1 (microns) | PIXSIZE2 = 5.2 / Pixel Size 2 (microns)
            XBINNING = 2 / Binning factor in width | YBINNING = 2 / Binning factor in height
            FRAME = 'Light   ' / Frame Type | FILTER = 'V       ' / Filter | DATAMIN = 312. / Minimum value
            DATAMAX = 65535. / Maximum value | OBJCTRA = 18.8935 / Object RA | OBJCTDEC = 33.0447 / Object DEC
            INSTRUME = 'SBIG CCD' / CCD Name | DATE-OBS = '2013-08-04T22:10:00' / UTC start date of observation
        """,
        shape=(1024, 1280),
        given={"pixel_scale_arcsec": 2.0},
        refused=Refusal(("no_wcs",), ("--pixel-scale",)),
        expected={
            "kind": "light",
            "mjd_utc": at("2013-08-04T22:10:00", 15.0),
            "exposure_s": 30.0,
            "sky": (283.4025, 33.0447, 1000.0),
            "filter_band": "V",
            "binning": "2x2",
            "saturation": None,
        },
        doubted=("position",),
    ),
    Instrument(
        name="CCDciel 0.9",
        software="CCDciel 0.9",
        is_amateur=True,
        source="CCDciel, cu_camera: PIXSIZE1 is after binning here, unlike INDI's; GAIN is in manufacturer's units, "
        "whatever its size; DATE-OBS is the start; positions are brought to 2000",
        cards="""
            BITPIX = 16 | BZERO = 32768 | BSCALE = 1 | ROWORDER = 'TOP-DOWN' / Order of the rows in image array
            DATAMIN = 480 / Minimum value | DATAMAX = 65535 / Maximum value | DATE = '2022-02-02T20:02:10' / Date
            SITELAT = 46.2 / Observatory latitude | SITELONG = 6.15 / Observatory longitude
            INSTRUME = 'Atik 414ex' / Instrument used for acquisition | FILTER = 'B       ' / Filter
            SWCREATE = 'CCDciel 0.9.79-2388 Linux' | OBJECT = 'SN2022abc' / Observed object name
            IMAGETYP = 'LIGHT   ' / Image Type | DATE-OBS = '2022-02-02T20:00:05.250' / UTC start date of observation
            EXPTIME = 120 / [s] Total Exposure Time | GAIN = 1 / Camera gain setting in manufacturer units
            OFFSET = 10 / Camera offset setting in manufacturer units | XPIXSZ = 12.9 / [um] Pixel Size X, binned
            YPIXSZ = 12.9 / [um] Pixel Size Y, binned | PIXSIZE1 = 12.9 / [um] Pixel Size X, binned
            PIXSIZE2 = 12.9 / [um] Pixel Size Y, binned | XBINNING = 2 / Binning factor X | YBINNING = 2 / Binning
            FOCALLEN = 1000 / [mm] Telescope focal length | CCD-TEMP = -10 / CCD temperature (Celsius)
            CENTAZ = '181.20' / [deg] Azimuth of center of image | AIRMASS = 1.1 / Airmass | EQUINOX = 2000.0
            RA = 95.5 / [deg] Telescope pointing RA | DEC = 21.25 / [deg] Telescope pointing DEC
            OBJCTRA = '06 22 00.00' / [hh mm ss] Telescope pointing RA | OBJCTDEC = '+21 15 00.0' / [+dd mm ss]
            SECPIX1 = 2.6608 / image scale arcseconds per pixel | SCALE = 2.6608 / image scale arcseconds per pixel
        """,
        shape=(520, 696),
        expected={
            "mjd_utc": at("2022-02-02T20:00:05.25", 60.0),
            "exposure_s": 120.0,
            "sky": (95.5, 21.25, 2.0),
            "pixel_scale_arcsec": 2.6608,
            "gain_e_per_adu": None,
            "gain_setting": 1.0,
            "offset_setting": 10.0,
            "binning": "2x2",
            "saturation": None,
            "site_longitude_deg": 6.15,
        },
    ),
    Instrument(
        name="a ZWO camera's own small program, exposure in three units",
        software="GoAsi",
        is_amateur=True,
        source="a Go driver for ZWO cameras: EXPTIME and EXPOSURE in seconds, EXPOINUS in microseconds; GAIN 0 is a "
        "setting; XPIXSZ is the detector's own, whatever XBINNING; FOCALLMM is the focal length, ASECPIX not binned",
        cards="""
            BITPIX = 16 | BZERO = 32768 / physical = BZERO + BSCALE*array_value | BSCALE = 1
            XBINNING = 1 / Binning factor in width | YBINNING = 1 / Binning factor in height
            EXPOINUS = 5000000. / Exposure time in us | GAIN = 0 / The ratio of output / input
            OFFSET = 21 / Brightness(offset) of image | GAMMA = 50 / Gamma
            PEDISTAL = 0 / Correction to add for zero-based ADU | SWCREATE = 'GoAsi' / Name of software that created the
            SCOPE = 'RC8' / Telescope Model | FOCALLMM = 1624. / Effective Focal Length
            DATE-OBS = '2024-09-01T04:05:06Z' / UTC start date of observation
            BAYERPAT = 'RGGB' / Debayer pattern,such as RGGB,BGGR,GRBG,GBRG | SENSOR = 'ZWO ASI294MC' / Camera Model
            XPIXSZ = 4.63 / Pixel Width in um | YPIXSZ = 4.63 / Pixel Height in um | EPERADU = 3.99 / Electrons per ADU
            CMOSBIT = 14 / Sensor BitDepth | EXPTIME = 5. / Total Exposure Time (s) | EXPOSURE = 5. / Exposure time in s
            CCD-TEMP = 12.5 / CMOS sensor temperature in C | ASECPIX = 0.588 / ARC SEC per Pixel
        """,
        shape=(2822, 4144),
        given={"ra_deg": 20.0, "dec_deg": 10.0, "pixel_scale_arcsec": 0.588, "band": "L"},
        refused=Refusal(("no_band", "no_pointing"), ("--ra",)),
        expected={
            "mjd_utc": at("2024-09-01T04:05:06", 2.5),
            "exposure_s": 5.0,
            "gain_setting": 0.0,
            "offset_setting": 21.0,
            "bayer_pattern": "RGGB",
            "ccd_temperature_c": 12.5,
        },
    ),
)
