package darkroom.edittasks.tasks;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The material for the rows of a split.
 *
 * @param subjects objects that edits are about
 * @param known objects that may appear beside them
 * @param targets backdrops that edits may ask for
 * @param scenes named backdrops of sources
 * @param photos photographs behind sources
 * @param words new texts of signs
 */
record Pool(
        List<Catalogue.Thing> subjects,
        List<Catalogue.Thing> known,
        List<String> targets,
        List<String> scenes,
        List<String> photos,
        List<String> words) {

    static Pool of(Split split, int objects) {
        boolean unseen = split == Split.UNSEEN_OBJECTS;
        return POOLS.get((unseen ? 1 : 0) + 2 * objects);
    }

    private static final List<Pool> POOLS = IntStream.rangeClosed(0, 2 * Catalogue.OBJECTS.size() + 1)
            .mapToObj(i -> make(i % 2 == 1, i / 2))
            .toList();

    private static Pool make(boolean unseen, int objects) {
        List<Catalogue.Thing> first = Catalogue.OBJECTS.subList(0, objects);
        return new Pool(
                part(first, unseen),
                part(first, false),
                unseen ? Backdrop.UNSEEN_NAMES : Backdrop.NAMES,
                unseen ? Backdrop.UNSEEN_NAMES : Backdrop.NAMES,
                unseen ? Backdrop.UNSEEN_PHOTOS : Backdrop.PHOTOS,
                part(Catalogue.WORDS, unseen));
    }

    private static <T> List<T> part(List<T> of, boolean unseen) {
        List<T> part = new ArrayList<>();
        for (int i = 0; i < of.size(); i++) {
            if (Catalogue.unseen(i) == unseen) {
                part.add(of.get(i));
            }
        }
        return List.copyOf(part);
    }

    /** Returns a named backdrop in two cases of three, else a cut of a photograph. */
    Backdrop scene(Draws draws) {
        return draws.below(3) < 2
                ? new Backdrop.Named(draws.one(scenes))
                : new Backdrop.Photo(draws.one(photos), .6 + .4 * draws.unit(), draws.unit(), draws.unit());
    }
}
