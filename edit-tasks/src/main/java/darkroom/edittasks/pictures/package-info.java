/**
 * Pictures: one reader for every format, its conversions, and 8-bit sRGB images.
 *
 * <ul>
 *   <li><b>Start reading:</b> PictureReader; docs/pictures.md lists the supported and rejected files.
 *   <li><b>Not here:</b> Datasets and rendering.
 *   <li><b>Promises:</b> P-4 and P-9: a broken, truncated or enormous picture file is rejected by name, within bounds.
 * </ul>
 */
@NullMarked
package darkroom.edittasks.pictures;

import org.jspecify.annotations.NullMarked;
