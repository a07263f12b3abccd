package darkroom.rewardactors.suites;

import java.nio.file.Path;
import java.util.List;

/**
 * One edit of a suite.
 *
 * @param id unique in the suite
 * @param group kind of edit, over which means are taken
 * @param language of the instruction; empty where a suite has only one
 * @param intersection whether it belongs to the subset that all published models could do
 * @param instruction as in the suite
 * @param sources candidate places of the original; the first existing one counts
 * @param edited candidate places of the edit; the first existing one counts
 */
record SuiteItem(
        String id,
        String group,
        String language,
        boolean intersection,
        String instruction,
        List<Path> sources,
        List<Path> edited) {
    /** File endings in the order in which they are tried. */
    static final List<String> ENDINGS = List.of(".png", ".jpg", ".jpeg", ".webp");

    SuiteItem {
        sources = List.copyOf(sources);
        edited = List.copyOf(edited);
    }

    /** Returns a picture of this name in each of the formats. */
    static List<Path> pictures(Path folder, String name) {
        return ENDINGS.stream().map(ending -> folder.resolve(name + ending)).toList();
    }
}
