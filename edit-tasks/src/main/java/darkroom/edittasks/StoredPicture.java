package darkroom.edittasks;

import org.jspecify.annotations.Nullable;

/**
 * What a picture file holds.
 *
 * @param profile ICC profile of the samples, if the file has one
 * @param orientation of EXIF, 1 to 8
 * @param frames whether more frames or pages follow
 */
@SuppressWarnings("ArrayRecordComponent") // nothing compares it
record StoredPicture(Samples samples, byte @Nullable [] profile, int orientation, boolean frames) {}
