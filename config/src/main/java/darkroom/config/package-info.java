/**
 * Settings: recipes and files in HOCON, read once into records that reject invalid values.
 *
 * <ul>
 *   <li><b>Start reading:</b> RunSettings for the tree of records, Recipes for the combination of files and overrides,
 *       Allowed for the limits and the messages.
 *   <li><b>Not here:</b> Anything that acts on a setting. No string key is used outside this package.
 *   <li><b>Promises:</b> P-9: every bound has a key, a unit and limits; a bad value is rejected before anything is written.
 * </ul>
 */
@NullMarked
package darkroom.config;

import org.jspecify.annotations.NullMarked;
