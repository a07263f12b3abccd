package darkroom.rewardactors;

import java.nio.file.Path;
import java.util.List;

/**
 * One edit of a suite.
 *
 * @param id unique in the suite
 * @param group kind of edit, over which means are taken
 * @param language of the instruction; empty where a suite has but one
 * @param intersection whether it belongs to the subset that all models of the publication could do
 * @param instruction as the suite has it
 * @param sources where the original may be; the first that is there counts
 * @param edited where the edit may be; the first that is there counts
 */
record SuiteItem(
        String id,
        String group,
        String language,
        boolean intersection,
        String instruction,
        List<Path> sources,
        List<Path> edited) {
    /** In the order in which they are looked for. */
    static final List<String> ENDINGS = List.of(".png", ".jpg", ".jpeg", ".webp");

    SuiteItem {
        sources = List.copyOf(sources);
        edited = List.copyOf(edited);
    }

    /** A picture of this name in any of the formats. */
    static List<Path> pictures(Path folder, String name) {
        return ENDINGS.stream().map(ending -> folder.resolve(name + ending)).toList();
    }
}
