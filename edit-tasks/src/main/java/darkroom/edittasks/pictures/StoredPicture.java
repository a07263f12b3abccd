package darkroom.edittasks.pictures;

import org.jspecify.annotations.Nullable;

/**
 * The content of a picture file.
 *
 * @param profile ICC profile of the samples, if the file has one
 * @param orientation of EXIF, 1 to 8
 * @param frames whether more frames or pages follow
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record StoredPicture(Samples samples, byte @Nullable [] profile, int orientation, boolean frames) {}
