"""The one table of header keywords: which observatories write what, in order of trust."""

from __future__ import annotations

# Written into every product, so that none is taken for a frame as delivered.
PRODUCT_KEYWORD = "ASTRPROD"

# BITPIX -> type of the stored numbers, most significant byte first.
BITPIX_TYPES = {8: ">u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}

# Fact -> keywords. Facts that several keywords make together (time, position, site) have their own entries below.
KEYWORDS: dict[str, tuple[str, ...]] = {
    "kind": (
        "IMAGETYP", "IMGTYP", "IMGTYPE", "CALFRAME", "OBSTYPE", "FRAMETYP", "FRAME", "DATA-TYP", "EXPTYPE", "FLAVOR",
        "OBSMODE", "ESO DPR TYPE", "ESO GEN EXPO TYPE",
    ),
    "exposure_s": (
        "EXPTIME", "EXPOSURE", "XPOSURE", "EFFEXPTM", "AEXPTIME", "EXP_TIME", "EXP", "ITIME", "INTTIME", "TELAPSE",
    ),
    # What was asked for, or the sum over what was combined: used where nothing else is said.
    "exposure_asked_s": ("TEXPTIME", "EXPREQ", "REQTIME"),
    "altitude_deg": ("OBJCTALT", "CENTALT", "TELALT", "ALT-TEL", "TEL-ALT", "ELEVATIN", "ESO TEL ALT"),
    "airmass": ("AIRMASS", "SECZ", "AMSTART", "ESO TEL AIRM START"),
    "seeing": ("L1SEESEC", "SEEING", "FWHM", "MEDFWHM", "ESO TEL AMBI FWHM START"),
    # Of two bit depths, the saved one is that of the pixels.
    "gain_e_per_adu": (
        "EGAINSAV", "EGAIN", "E-GAIN", "E_GAIN", "EPERADU", "EPERDN", "GAINADU", "GAIN", "EFFGAIN", "CCDGAIN",
        "ESO DET CHIP GAIN", "CELL.GAIN",
    ),
    # Electrons per ADU, ADU per electron or a setting: used where the comment says which.
    "gain_if_said": (
        "SYSGAIN", "SYS_GAIN", "DETGAIN", "CCD_GAIN", "AGAIN", "ADUGAIN", "CONVGAIN", "KGAIN", "INVGAIN",
        "GAINFACT", "GAIN_E", "PHGAIN", "ADCGAIN",
    ),
    "read_noise_e": (
        "RDNOISE", "READNOIS", "READNOI", "RON", "ENOISE", "RNOISE", "RO_NOISE", "RO-NOISE", "RDNOI", "READ_NOI",
        "RD_NOISE", "READNSE", "CCDNOISE", "CCDRON", "DETRON", "READNOISE", "ESO DET CHIP RON", "ESO DET RON",
        "CELL.READNOISE",
    ),
    # DATAMAX is the largest pixel, not the largest possible one.
    "saturation": ("SATURATE", "SATURATN", "SATURVAL", "SATLEVEL", "SATURATI", "TSATUR", "MAXLIN"),
    "ccd_temperature": (
        "CCD-TEMP", "CCD_TEMP", "CCDATEMP", "CCDTEMP", "CAMTEMP", "DETTEMP", "DETTEM", "DET-TMP", "DET-TEMP", "T_CCDTV",
        "ESO INS TEMP-DETSW", "TEMPERAT", "SET-TEMP",
    ),
    "filter": (
        "FILTER", "FILTNAM", "FILTNAME", "FILT", "INSFILTE", "BAND", "FILTBAND", "ESO INS FILT1 NAME", "FILT-1",
        "FPA.FILTER",
    ),
    "filter_wheels": ("FILTER1", "FILTER2", "FILTER3", "FILTER4", "FILTER01", "FILTER02", "FILTER03"),
    "pixel_scale_arcsec": ("SECPIX", "PIXSCALE", "IM_SCALE", "PIXSCAL1", "SCALE", "PLTSCALE", "ESO INS PIXSCALE"),
    "unbinned_scale_arcsec": ("CCDSCALE", "ASECPIX"),
    "focal_length_mm": ("FOCALLEN", "FOCALLMM", "FOCLEN", "FOCALLTH"),
    "camera": ("INSTRUME", "CAMERA", "DETECTOR"),
    "telescope_name": ("TELESCOP", "ESO TEL ID", "OBSERVAT"),
    "object_name": ("OBJECT", "TARGNAME", "TARGET", "FIELD"),
    "camera_serial": (
        "CAMID", "CAMERAID", "CAM-ID", "CAMSN", "CAM-SN", "CAM_SN", "SERIALNO", "SERNUM", "DETSN", "CCDSERNO",
        "DETSERNO", "CAMSERIA", "SERIAL", "DETECTID", "CCD_SERN", "T_CCDSN",
    ),
    "gain_setting": ("GAINSET", "CAMGAIN", "GAINRAW", "ISOSPEED", "ISO", "ISO-SPEE"),
    "offset_setting": ("OFFSET", "BLKLEVEL", "BLACKLVL", "BLACKLEV", "CAMOFFS"),
    "bayer_pattern": ("BAYERPAT", "BAYER", "CFA-PAT", "COLORTYP", "CFAIMAGE", "FILTER"),
    "stack_members": (
        "STACKCNT", "NCOMBINE", "NSTACK", "NUMSTACK", "SNAPSHOT", "SUBEXP", "NDRIZIM", "NSTACKED", "STACKED",
        "STACKNUM", "NCOMB", "NAVG", "STACKS", "STKCNT", "STACKSIZ", "N_STACK", "NUM_STAC", "N_COMB",
        "SUMFRMS", "AVGFRMS",
    ),
    # Members of a stack only where their comments say so; otherwise the frames of a sequence.
    "stack_members_if_said": (
        "NFRAMES", "NUMFRAME", "NUM_FRAM", "NIMAGES", "NEXP", "NUMEXP", "N_EXP", "FRAMES", "NSUBS",
        "NUM_EXP", "SUBS", "NFRMS", "NIMG", "FRAMECNT", "FRMCOUNT", "IMAGECNT", "NSHOTS", "NSUBEXP",
    ),
    # Words of pipelines for the state of a file as a whole.
    "reduction_state": (
        "PROCSTAT", "PROCTYPE", "CALIBRAT", "REDUCED", "DATATYPE", "DATALEVL", "PRODCATG", "ESO PRO CATG", "IMAGETYP",
    ),
    "readout_mode": ("READOUTM", "READMODE", "RDMODE", "ESO DET READ MODE", "ESO DET MODE NAME", "ESO DET MODE"),
    "biassec": ("BIASSEC", "OVERSCAN"),
    "trimsec": ("TRIMSEC", "DATASEC"),
    "latitude": (
        "SITELAT", "OBSGEO-B", "LATITUDE", "LAT-OBS", "OBSLAT", "OBS-LAT", "GEOLAT", "ESO TEL GEOLAT", "ESO TEL LAT",
        "GPS_LAT",
    ),
    "longitude": (
        "SITELONG", "OBSGEO-L", "LONGITUD", "LONG-OBS", "OBSLONG", "OBSLON", "OBS-LONG", "GEOLON", "ESO TEL GEOLON",
        "ESO TEL LON", "GPS_LONG",
    ),
    "height_m": (
        "SITEELEV", "OBSGEO-H", "ALT-OBS", "ALTITUDE", "OBSALT", "OBS-ELEV", "ELEV-OBS", "ELEVATIO", "HEIGHT",
        "ESO TEL GEOELEV", "ESO TEL ALTITUDE",
    ),
    "sidereal_time": (
        "LST", "LST-OBS", "LST-STR", "OBSLST", "LST-BEG", "ST", "STSTART", "SIDEREAL", "ESO GEN EXPO LST",
    ),
    "hour_angle": ("HA", "TELEHA", "HOURANG", "TELHA", "OBJCTHA"),
    # Magnitude of one count; of those whose meaning is not in doubt.
    "zero_point_mag": ("MAGZERO", "MAGZPT", "MAGZP", "ZEROPT", "ZPAPPROX", "PHOTZP"),
    # Time of day, for a DATE-OBS that is only a date.
    "clock": (
        "UTSTART", "UT-STR", "UT-START", "UT_START", "TU-START", "TIME-OBS", "TIME_OBS", "TIMEOBS", "UTC-OBS", "UT-OBS",
        "UT_OBS", "UT", "UTC", "UT-TIME", "UT_TIME", "UTTIME", "UTIME", "TIME-BEG", "TIME_BEG", "TM-START", "OBSTIME",
        "OBS-TIME", "UTOPEN", "TAIHMS",
    ),
    "clock_mid": ("UT-MID", "UTMID", "UTC-MID", "UTMIDDLE", "UT-AVG", "TIME-MID"),
    "clock_end": ("UTSTOP", "UT-END", "UTCEND", "UTC-END", "UTEND", "UT-STOP", "TU-END", "TIME-END", "TM-END"),
    # Integrations whose mean or sum the pixels are, where the exposure time is that of one.
    "integrations": ("ESO DET NDIT", "NDIT", "COADDS", "COADD", "NCOADD", "NCOADDS"),
    # The sum over what was added, beside the exposure of one.
    "exposure_total_s": ("TOTALEXP", "TOTEXP", "EXPTOT", "LIVETIME", "TOTEXPT"),
    "local_time": ("LOCALTIM", "DATE-LOC", "DATE-OBS"),
    # What a clock on the wall showed, and the zone of a computer or a site.
    "local_clock": (
        "DATE-LOC", "DATE_LOC", "DATELOC", "LOCALTIM", "LOCTIME", "LOCAL-T", "TIME-LOC", "LT", "LT-OBS", "LTIME", "LDT",
    ),
    # Times at the Sun or the barycentre: up to 8.4 minutes from those of the telescope.
    "solar_time": (
        "HJD", "HJD-OBS", "HJD_OBS", "HJD-MID", "HJD_MID", "HJDMID", "HJD_UTC", "HJD-UTC", "BJD", "BJD-OBS", "BJD_OBS",
        "BJD-MID", "BJD_MID", "BJD_TDB", "BJD-TDB", "BJD_UTC", "BJD-UTC", "HMJD", "MHJD", "BMJD", "MBJD",
    ),
}  # fmt: skip

# Of cameras with several amplifiers: one gain each, which are averaged. Those of ESO's first output stand for all
# where there are no others; its GAIN is the inverse of its CONAD.
AMPLIFIER_GAINS = (
    ("GAINA", "GAINB", "GAINC", "GAIND"), ("T_GAIN1", "T_GAIN2", "T_GAIN3", "T_GAIN4"),
    ("ATODGNA", "ATODGNB", "ATODGNC", "ATODGND"),
    ("GAIN1", "GAIN2", "GAIN3", "GAIN4", "GAIN5", "GAIN6", "GAIN7", "GAIN8"),
    ("GAIN01", "GAIN02", "GAIN03", "GAIN04"), ("GAIN_1", "GAIN_2", "GAIN_3", "GAIN_4"),
    ("EGAIN1", "EGAIN2", "EGAIN3", "EGAIN4"), ("CCDGAIN1", "CCDGAIN2", "CCDGAIN3", "CCDGAIN4"),
    ("ESO DET OUT1 CONAD", "ESO DET OUT2 CONAD", "ESO DET OUT3 CONAD", "ESO DET OUT4 CONAD"),
    ("ESO DET OUT1 GAIN", "ESO DET OUT2 GAIN", "ESO DET OUT3 GAIN", "ESO DET OUT4 GAIN"),
)  # fmt: skip
AMPLIFIER_READ_NOISES = (
    ("RDNOISEA", "RDNOISEB", "RDNOISEC", "RDNOISED"), ("READNSEA", "READNSEB", "READNSEC", "READNSED"),
    ("READNOIA", "READNOIB", "READNOIC", "READNOID"),
    ("RDNOISE1", "RDNOISE2", "RDNOISE3", "RDNOISE4", "RDNOISE5", "RDNOISE6", "RDNOISE7", "RDNOISE8"),
    ("RDNOIS1", "RDNOIS2", "RDNOIS3", "RDNOIS4"), ("RDNOIS01", "RDNOIS02", "RDNOIS03", "RDNOIS04"),
    ("READNOI1", "READNOI2", "READNOI3", "READNOI4"), ("RON1", "RON2", "RON3", "RON4"),
    ("ENOISE1", "ENOISE2", "ENOISE3", "ENOISE4"),
    ("ESO DET OUT1 RON", "ESO DET OUT2 RON", "ESO DET OUT3 RON", "ESO DET OUT4 RON"),
)  # fmt: skip

# First pixel of a part of the detector.
WINDOW_KEYWORDS = (("XORGSUBF", "YORGSUBF"), ("STARTX", "STARTY"), ("SUBFRMX", "SUBFRMY"))

# What a pipeline writes when a step was done, and the steps.
CALIBRATED_KEYWORDS: dict[str, tuple[str, ...]] = {
    "ZEROCOR": ("bias",), "BIASCOR": ("bias",), "BIASCORR": ("bias",), "BIASSUB": ("bias",), "L1IDBIAS": ("bias",),
    "DARKCOR": ("bias", "dark"), "DARKCORR": ("dark",), "DARKSUB": ("bias", "dark"), "S_DARK": ("bias", "dark"),
    "L1IDDARK": ("dark",), "FLATCOR": ("flat",), "FLATCORR": ("flat",), "FLATDIV": ("flat",), "S_FLAT": ("flat",),
    "L1IDFLAT": ("flat",), "BLEVCORR": ("bias",), "L1STATBI": ("bias",), "L1STATZE": ("bias",), "L1STATDA": ("dark",),
    "L1STATFL": ("flat",), "FLATFLD": ("flat",), "DOBIAS": ("bias",), "DODARK": ("dark",), "DOFLAT": ("flat",),
}  # fmt: skip

# Pairs: what the observatory calls the pointing, then the target, then raw encoder values.
POINTING_KEYWORDS: tuple[tuple[str, str], ...] = (
    ("OBJCTRA", "OBJCTDEC"), ("RA", "DEC"), ("RA_DEG", "DEC_DEG"), ("RA-D", "DEC-D"), ("OBJRAD", "OBJDECD"),
    ("OBJRA", "OBJDEC"), ("RA_OBJ", "DEC_OBJ"), ("RA_TARG", "DEC_TARG"), ("TARG_RA", "TARG_DEC"),
    ("RA-TARG", "DEC-TARG"), ("CAT-RA", "CAT-DEC"), ("TELRA", "TELDEC"),
    ("FOVRA", "FOVDEC"), ("RASTART", "DECSTART"), ("MNT-RA", "MNT-DEC"), ("RA-MNT", "DEC-MNT"),
)  # fmt: skip

# Those that tell what a mount believes, which may be degrees off where nobody corrected it.
MOUNT_POINTINGS = ("MNT-RA", "RA-MNT")

BINNING_KEYWORDS = (
    ("XBINNING", "YBINNING"),
    ("CCDXBIN", "CCDYBIN"),
    ("BINX", "BINY"),
    ("XBIN", "YBIN"),
    ("CCDBINX", "CCDBINY"),
    ("HBIN", "VBIN"),
    ("BIN1", "BIN2"),
    ("CDELTM1", "CDELTM2"),
    ("ESO DET WIN1 BINX", "ESO DET WIN1 BINY"),
    ("ESO DET BINX", "ESO DET BINY"),
    ("CCDBIN1", "CCDBIN2"),
    ("BIN-FCT1", "BIN-FCT2"),
)

# Keyword, moment of the exposure, kind of value (tjd: days after TJD_ZERO; tai_s: seconds of atomic time since MJD 0).
# Earlier ones win among equally precise ones: names that say UT come first, because DATE-OBS is local time at some
# observatories.
TIME_KEYWORDS: tuple[tuple[str, str, str], ...] = (
    ("UTC-OBS", "start", "calendar"), ("UT-OBS", "start", "calendar"), ("DATE-UTC", "start", "calendar"),
    ("DATE_UTC", "start", "calendar"), ("SHUTOPEN", "start", "calendar"), ("DATE-OBS", "start", "calendar"),
    ("DATE_OBS", "start", "calendar"), ("MJD-OBS", "start", "mjd"), ("MJD_OBS", "start", "mjd"),
    ("MJDOBS", "start", "mjd"), ("MJDSTART", "start", "mjd"),
    ("OBSMJD", "start", "mjd"), ("EXPSTART", "start", "mjd"), ("MJD-STR", "start", "mjd"), ("MJD", "start", "mjd"),
    ("JD-OBS", "start", "jd"),
    ("JD_OBS", "start", "jd"), ("OBSJD", "start", "jd"), ("JDSTART", "start", "jd"), ("JULDATE", "start", "jd"),
    ("JUL-DATE", "start", "jd"), ("JULIAN", "start", "jd"), ("JD", "start", "jd"), ("TDB-BEG", "start", "tdb"),
    ("DATE-BEG", "start", "calendar"), ("MJD-BEG", "start", "mjd"), ("JD-BEG", "start", "jd"),
    ("DATE-AVG", "mid", "calendar"), ("MJD-AVG", "mid", "mjd"), ("JD-AVG", "mid", "jd"),
    ("DATE-MID", "mid", "calendar"), ("MJD-MID", "mid", "mjd"), ("JD-MID", "mid", "jd"), ("JD_MID", "mid", "jd"),
    ("JDMID", "mid", "jd"), ("MJDMID", "mid", "mjd"), ("MJD_MID", "mid", "mjd"), ("MJDAVG", "mid", "mjd"),
    ("MJD_AVG", "mid", "mjd"), ("JD_UTC", "mid", "jd"), ("TDB-MID", "mid", "tdb"), ("EXPMID", "mid", "mjd"),
    ("TIME-OBS", "start", "calendar"), ("MIDTJD", "mid", "tjd"), ("TAI", "start", "tai_s"),
    ("EXPEPOCH", "end", "calendar"), ("DATE-TRG", "end", "calendar"),
    ("DATE-END", "end", "calendar"), ("DATE_END", "end", "calendar"), ("SHUTCLSD", "end", "calendar"),
    ("MJD-END", "end", "mjd"), ("MJD_END", "end", "mjd"), ("JD-END", "end", "jd"), ("EXPEND", "end", "mjd"),
    ("MJDEND", "end", "mjd"),
)  # fmt: skip

# Impossible outside: no exposure lasts a month (deep mosaics sum days: 10^7 s), airmass is 1 at the zenith (formulas
# reach 0.99) and 40 on the horizon, seeing beyond a minute is no image, gains and read noise of real detectors.
BOUNDS: dict[str, tuple[float, float]] = {
    "exposure_s": (0.0, 1e7),
    "airmass": (0.99, 40.0),
    "seeing_arcsec": (0.01, 60.0),
    "gain_e_per_adu": (1e-3, 1e6),
    "read_noise_e": (1e-3, 1e4),
    "saturation": (1.0, 1e12),
    "ccd_temperature_c": (-270.0, 100.0),
    "pixel_scale_arcsec": (0.005, 300.0),
    "pedestal_adu": (-1e5, 1e5),
    "zero_point_mag": (-10.0, 60.0),
}
