package darkroom.edittasks.tasks;

import darkroom.edittasks.tasks.Scene.Placed;

/** The place of a new object, as instructions name it. */
enum Place {
    LEFT("on the left"),
    RIGHT("on the right"),
    TOP("at the top"),
    CENTER("in the center");

    private final String phrase;

    Place(String phrase) {
        this.phrase = phrase;
    }

    static Place side(boolean left) {
        return left ? LEFT : RIGHT;
    }

    String phrase() {
        return phrase;
    }

    /** Returns a new object in this place: its size and position are the same in every picture. */
    Placed put(String icon) {
        return switch (this) {
            case LEFT -> new Placed(icon, Layout.LEFT, Layout.FLOOR, Layout.PAIR_SIDE);
            case RIGHT -> new Placed(icon, Layout.RIGHT, Layout.FLOOR, Layout.PAIR_SIDE);
            case TOP -> new Placed(icon, Layout.MIDDLE, Layout.TOP_BOTTOM, Layout.TOP_SIDE);
            case CENTER -> new Placed(icon, Layout.MIDDLE, Layout.FLOOR, Layout.ALONE_SIDE);
        };
    }
}
