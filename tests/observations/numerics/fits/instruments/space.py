"""Headers of space telescopes: cameras that count electrons per second, exposures named by other words, mosaics."""

from __future__ import annotations

from tests.observations.numerics.fits.instruments.record import Instrument, at

_ACS_PRIMARY = """
    TELESCOP = 'HST     ' / telescope used to acquire data | INSTRUME = 'ACS   ' / identifier for instrument used
    EQUINOX = 2000.0 / equinox of celestial coord. system | IMAGETYP = 'EXT     ' / type of exposure identifier
    RA_TARG = 127.775 / right ascension of the target (deg) (J2000)
    DEC_TARG = 65.842 / declination of the target (deg) (J2000)
    DATE-OBS = '2016-10-16' / UT date of start of observation (yyyy-mm-dd)
    TIME-OBS = '01:04:48' / UT time of start of observation (hh:mm:ss)
    EXPSTART = 57677.0450 / exposure start time (Modified Julian Date)
    EXPEND = 57677.04962963 / exposure end time (Modified Julian Date)
    EXPTIME = 400.0 / exposure duration (seconds)--calculated | OBSTYPE = 'IMAGING ' / observation type
    OBSMODE = 'ACCUM   ' / operating mode | DETECTOR = 'WFC     ' / detector in use: WFC, HRC, or SBC
    FILTER1 = 'CLEAR1L ' / element selected from filter wheel 1
    FILTER2 = 'F814W   ' / element selected from filter wheel 2 | CCDGAIN = 2.0 / commanded gain of CCD
    BIASCORR = 'COMPLETE' / Subtract bias image | DARKCORR = 'COMPLETE' / Subtract dark image
    FLATCORR = 'COMPLETE' / flat field data | FLSHCORR = 'OMIT    ' / post flash correction
"""

SPACE: tuple[Instrument, ...] = (
    Instrument(
        name="Hubble ACS, one detector, distorted by polynomials and by tables",
        software="CALACS",
        is_amateur=False,
        source="STAK notebooks of STScI, a printed extension header, its polynomials cut after the third order; the "
        "primary header is by the ACS data handbook with times of ours. Pixels are electrons: CCDGAIN was applied. "
        "CPDIS and D2IM name tables in other extensions, worth 0.06 px at most",
        cards="""
            BITPIX = -32 | EXTNAME = 'SCI     ' | EXTVER = 1 | INHERIT = T | BUNIT = 'ELECTRONS' / brightness units
            CCDCHIP = 2 / CCD chip (1 or 2) | WCSAXES = 2 | CRPIX1 = 2048.0 | CRPIX2 = 1024.0
            CRVAL1 = 127.7729653461655 | CRVAL2 = 65.84354161173992 | CTYPE1 = 'RA---TAN-SIP' | CTYPE2 = 'DEC--TAN-SIP'
            CD1_1 = 1.90483532036217E-08 | CD1_2 = -1.3940675227771E-05 | CD2_1 = -1.3846187057971E-05
            CD2_2 = -9.8508094364170E-07 | ORIENTAT = -94.0229 / position angle of image y axis (deg. e of n)
            RA_APER = 127.7389583333 / RA of aperture reference position
            DEC_APER = 65.84194444444 / Declination of aperture reference position
            BINAXIS1 = 1 / axis1 data bin size in unbinned detector pixels | NCOMBINE = 1 / number of image sets
            PHOTMODE = 'ACS WFC1 F814W MJD#57677.0450' / observation con | PHOTFLAM = 7.0486380E-20
            PHOTZPT = -21.1 / ST magnitude zero point | GOODMAX = 9.0880914E+04 / maximum value of good pixels
            MEANDARK = 6.1097779 / average of the dark values subtracted | RADESYS = 'ICRS    '
            IDCSCALE = 0.05 | D2IMERR1 = 0.042 / Maximum error of NPOL correction for axis 1
            D2IMDIS1 = 'Lookup  ' / Detector to image correction type | D2IM1 = 'EXTVER: 1' | D2IM1 = 'NAXES: 2'
            D2IM1 = 'AXIS.1: 1' | D2IM1 = 'AXIS.2: 2' | WCSNAME = 'IDC_11d1433lj'
            CPERR1 = 0.02756105922162533 / Maximum error of NPOL correction for axis 1
            CPDIS1 = 'Lookup  ' / Prior distortion function type | DP1 = 'EXTVER: 1' | DP1 = 'NAXES: 2'
            DP1 = 'AXIS.1: 1' | DP1 = 'AXIS.2: 2' | CPDIS2 = 'Lookup  ' | DP2 = 'EXTVER: 2' | DP2 = 'NAXES: 2'
            DP2 = 'AXIS.1: 1' | DP2 = 'AXIS.2: 2' | A_ORDER = 3 | B_ORDER = 3 | A_0_2 = 2.16316670266357E-06
            A_1_1 = -5.2167190331715E-06 | A_2_0 = 8.55757690624103E-06 | A_0_3 = -1.4678926146950E-13
            A_1_2 = -5.3116725265518E-10 | A_2_1 = -3.3923056140854E-11 | A_3_0 = -4.9299373340579E-10
            B_0_2 = -7.2366916752762E-06 | B_1_1 = 6.18673688121303E-06 | B_2_0 = -1.7485625426539E-06
            B_0_3 = -3.8365982324508E-10 | B_1_2 = -7.2577430975755E-11 | B_2_1 = -5.1770017201658E-10
            B_3_0 = 9.85440944815669E-11
        """,
        primary=_ACS_PRIMARY,
        shape=(2048, 4096),
        expected={
            "kind": "light",
            "mjd_utc": at("2016-10-16T01:04:48", 200.0),
            "exposure_s": 400.0,
            "sky": (127.772965, 65.843542, 0.5),
            "pixel_scale_arcsec": 0.05002,
            "wcs_quality": "header",
            "filter_band": "F814W",
            "saturation": None,
            "calibrated": ("bias", "dark", "flat"),
            "pixel_unit": "electron",
            "camera": "ACS",
            "site_longitude_deg": None,
        },
    ),
    Instrument(
        name="Hubble WFC3, two exposures drizzled into one",
        software="DrizzlePac",
        is_amateur=False,
        source="a public notebook's printed header; EXPSTART is the first member's start, EXPEND the last one's end, "
        "80 s longer than EXPTIME, so that the middle lies between these two. TIME-OBS was cut to whole seconds. "
        "IMAGETYP EXT is external, not internal lamps",
        cards="""
            BITPIX = -32 | TELESCOP = 'HST     ' / telescope used to acquire data
            INSTRUME = 'WFC3    ' / identifier for instrument used to acquire data | EQUINOX = 2000.0
            IMAGETYP = 'EXT     ' / type of exposure identifier | TARGNAME = 'UGC2698 ' / proposer's target name
            RA_TARG = 50.512 / right ascension of the target (deg) (J2000)
            DEC_TARG = 40.86388888889 / declination of the target (deg) (J2000)
            DATE-OBS = '2013-08-28' / UT date of start of observation (yyyy-mm-dd)
            TIME-OBS = '21:09:36' / UT time of start of observation (hh:mm:ss)
            EXPSTART = 5.653288167814E+04 / exposure start time (Modified Julian Date)
            EXPEND = 56532.89300036 / exposure end time (Modified Julian Date)
            EXPTIME = 898.467164 / exposure duration (seconds)--calculated | TEXPTIME = 898.467164
            PROCTIME = 5.861344687500E+04 / Pipeline processing time (MJD)
            OBSTYPE = 'IMAGING ' / observation type - imaging or spectroscopic | OBSMODE = 'MULTIACCUM' / operating mode
            DETECTOR = 'IR      ' / detector in use: UVIS or IR | FILTER = 'F160W   ' / element selected from filter
            DARKCORR = 'COMPLETE' / Subtract dark image | BLEVCORR = 'COMPLETE' / subtract bias level computed from ref
            FLATCORR = 'COMPLETE' / flat field data | UNITCORR = 'COMPLETE' / convert to count rates
            CCDAMP = 'ABCD    ' / CCD Amplifier Readout Configuration | CCDGAIN = 2.5 / commanded gain of CCD
            READNSEA = 20.2 / calibrated read noise for amplifier A | NDRIZIM = 2 / Drizzle, No. images drizzled onto
            D001SCAL = 0.1 / Drizzle, pixel size (arcsec) of output image | BUNIT = 'ELECTRONS/S' / brightness units
            WCSAXES = 2 | CRPIX1 = 809.6162680387491 | CRPIX2 = 615.3175137042995 | CRVAL1 = 50.51503112332516
            CRVAL2 = 40.86062514579236 | CTYPE1 = 'RA---TAN' | CTYPE2 = 'DEC--TAN' | CD1_1 = 1.25048678786937E-05
            CD1_2 = 2.48038952103902E-05 | CD2_1 = 2.48038952103902E-05 | CD2_2 = -1.2504867878693E-05
            NCOMBINE = 2 / number of image sets combined during CR rejecti | RADESYS = 'ICRS    '
            ROUTTIME = 5.653288687777E+04 / UT time of array readout (MJD)
            SAMPTIME = 449.233582 / total integration time (sec)
        """,
        shape=(1231, 1620),
        expected={
            "kind": "light",
            "mjd_utc": (56532.88167814 + 56532.89300036) / 2,
            "exposure_s": 898.467164,
            "sky": (50.515031, 40.860625, 0.5),
            "pixel_scale_arcsec": 0.1,
            "filter_band": "F160W",
            "calibrated": ("bias", "dark", "flat"),
            "pixel_unit": "electron/s",
            "camera": "WFC3",
            "object_name": "UGC2698",
        },
        within={"mjd_utc": 2.0},
        disputed=("time",),
    ),
    Instrument(
        name="Webb NIRCam, EXPOSURE that is a number and no time",
        software="NCDHAS",
        is_amateur=False,
        source="BrantRobertson's notes on a slope image in the keywords of the mission; EXPOSURE counts the requests, "
        "EFFEXPTM is how long it took; EXPMID lies amid EXPSTART and EXPEND. Dark and flat were not applied",
        cards="""
            BITPIX = -32 | TIMESYS = 'UTC     ' / Reference time | RADESYS = 'FK5     ' / Name of coordinate reference
            DATE-OBS = '2019-12-11' / UTC date of start of exposure
            TIME-OBS = '12:35:21.430' / UTC time of start of exposure
            DATE-END = '2019-12-11' / UTC date of end of exposure
            TIME-END = '12:58:15.735' / UTC time of end  of exposure
            EXPOSURE = '1234567 ' / Exposure request number | DOBIAS = T / Bias correction applied
            DODARK = F / Dark correction applied | DOFLAT = F / Flat field applied
            TARG_RA = 53.157833 / Target RA at mid time of exposure (deg)
            TARG_DEC = -27.807544 / Target Dec at mid time of exposure (deg)
            INSTRUME = 'NIRCAM  ' / Instrument used to acquire data | DETECTOR = 'NRCA1   ' / SCA name
            FILTER = 'F200W   ' / Name of filter element used | PUPIL = 'CLEAR   ' / Name of pupil element used
            EFFEXPTM = 1374.3053 / Effective Exposure time (sec) | DURATION = 1374.3053 / Total Duration of Exposure
            EXPCOUNT = 1 / Running count of exposures in visit
            EXPSTART = 58828.52455358797 / UTC exposure start time (MJD)
            EXPMID = 58828.53250674352 / UTC exposure mid   time (MJD)
            EXPEND = 58828.54045989908 / UTC exposure end   time (MJD) | EXP_TYPE = 'NRC_IMAGE' / exposure type
            TFRAME = 10.73676 / Time in seconds between frames | EFFINTTM = 1288.4112 / Effective integration time (sec)
            HMIDTIME = 58828.5325067 / Heliocentric exposure mid time | RDNOISE = 11.3 / Readout noise (e-)
            PIXAR_A2 = 1.0048900000E-03 / Nominal pixel area in steradians | WCSAXES = 2 | CRPIX1 = 1024.5
            CRPIX2 = 1024.5 | CRVAL1 = 53.1871366141 | CRVAL2 = -27.830983877 | CTYPE1 = 'RA---TAN'
            CTYPE2 = 'DEC--TAN' | CDELT1 = 8.805555555556E-06 | CDELT2 = 8.805555555556E-06 | CUNIT1 = 'deg     '
            CUNIT2 = 'deg     ' | PC1_1 = 8.9303010626E-01 | PC1_2 = 4.2403192369E-01 | PC2_1 = -4.2364855349E-01
            PC2_2 = 8.9383823160E-01 | EQUINOX = 2000.0
        """,
        shape=(2048, 2048),
        expected={
            "kind": "light",
            "mjd_utc": 58828.53250674,
            "exposure_s": 1374.3053,
            "sky": (53.1871366, -27.8309839, 0.5),
            "pixel_scale_arcsec": 0.03135,
            "filter_band": "F200W",
            "read_noise_e": 11.3,
            "calibrated": ("bias",),
            "camera": "NIRCAM",
        },
        within={"pixel_scale_arcsec": 5e-4},
    ),
    Instrument(
        name="Webb mosaic by grizli, an exposure longer than its span",
        software="grizli",
        is_amateur=False,
        source="the DAWN archive's page on its products; EXPTIME sums 18 members, EXPSTART and EXPEND are the first "
        "member's, MJD-OBS is the date alone: when the mosaic was taken is not in its header. CDELT beside CD counts "
        "for nothing. Pixels are fluxes",
        cards="""
            BITPIX = -32 | WCSAXES = 2 | CRPIX1 = 4591.5 | CRPIX2 = 6515.5 | CD1_1 = -1.1111111111111E-05
            CD2_2 = 1.1111111111111E-05 | CD1_2 = 0.0 | CD2_1 = 0.0
            CDELT1 = 1.0 / [deg] Coordinate increment at reference point
            CDELT2 = 1.0 / [deg] Coordinate increment at reference point | CUNIT1 = 'deg     ' | CUNIT2 = 'deg     '
            CTYPE1 = 'RA---TAN' | CTYPE2 = 'DEC--TAN' | CRVAL1 = 110.83403 | CRVAL2 = -73.45429
            LONPOLE = 180.0 | LATPOLE = -73.45429 | MJDREF = 0.0 / [d] MJD of fiducial time
            DATE-OBS = '2022-06-07' / ISO-8601 time of observation | MJD-OBS = 59737.0 / [d] MJD of observation
            RADESYS = 'ICRS    ' | EXPTIME = 15074.42400000001 | NDRIZIM = 18 | TELESCOP = 'JWST    '
            FILTER = 'F444W   ' | PUPIL = 'CLEAR   ' | DETECTOR = 'NRCALONG' | INSTRUME = 'NIRCAM  '
            EXPSTART = 59737.22120032604 | EXPEND = 59737.23101751157 | TIME-OBS = '05:18:31.708'
            PHOTFNU = 1E-08 | PHOTPLAM = 44036.71097714713 | BUNIT = '10.0*nanoJansky'
        """,
        shape=(12000, 12000),
        expected={
            "kind": "light",
            "exposure_s": 15074.424,
            "sky": (110.779037, -73.460005, 1.0),
            "pixel_scale_arcsec": 0.04,
            "wcs_quality": "header",
            "filter_band": "F444W",
            "gain_e_per_adu": None,
            "calibrated": ("bias", "dark", "flat"),
            "camera": "NIRCAM",
        },
        doubted=("time",),
    ),
)
