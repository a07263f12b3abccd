package darkroom.edittasks.datasets;

import darkroom.edittasks.tasks.Combination;
import darkroom.edittasks.tasks.Draws;

/** The random decisions of a curation. Each has its own numbers, which follow from the seed and what is decided about. */
enum CurationDraw {
    RED_BOX(1),
    CAP(2),
    SPLIT(3),
    TEXT(4);

    private final int key;

    CurationDraw(int key) {
        this.key = key;
    }

    Draws about(String what, CurationSettings settings) {
        return new Draws(settings.seed(), key, Combination.stableHash(what));
    }
}
