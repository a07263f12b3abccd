package darkroom.edittasks.tasks;

import darkroom.edittasks.tasks.Catalogue.Thing;

/** Changes the style of the whole picture: redrawn as ink or flat art, or a treatment of its colours. */
record StyleTemplate() implements TaskTemplate {
    private static final String INK = "ink";
    private static final String FLAT = "flat";

    @Override
    public Plan draw(PlanDraws draws) {
        Thing thing = draws.subject();
        boolean redrawn = draws.half();
        Scene source = draws.oneOrTwo(redrawn ? Backdrop.Plain.WHITE : draws.scene(), thing);
        String style = redrawn ? draws.one(INK, INK, FLAT) : draws.one(Look.NAMES);
        String wrong = redrawn && draws.half() ? otherArt(style) : draws.otherLook(style);
        String otherWrong = draws.otherLook(style, wrong);
        String phrase = phrase(style, draws);
        return new Plan(
                new Combination(TaskType.STYLE, thing.say(), style, -1),
                new Plan.Request(
                        draws.one("redraw it as ", "make it look like ", "turn the picture into ") + phrase,
                        "The whole picture must look like " + phrase + ". What it shows must stay the same."),
                source,
                styled(source, style),
                new Plan.WrongTargets(styled(source, wrong), styled(source, otherWrong)));
    }

    private static String otherArt(String style) {
        return style.equals(INK) ? FLAT : INK;
    }

    private static String phrase(String style, PlanDraws draws) {
        return switch (style) {
            case INK -> draws.one("a black ink drawing", "an ink drawing");
            case FLAT -> "flat art";
            case "gray" -> draws.one("a gray picture", "a black and white photo");
            case "negative" -> "a negative";
            case "poster" -> "a poster";
            case "blurred" -> "a blurred picture";
            case "sepia" -> "a sepia photo";
            default -> style;
        };
    }

    private static Scene styled(Scene scene, String style) {
        return switch (style) {
            case INK -> scene.each(placed -> placed.set(Art.INK));
            case FLAT -> scene.each(placed -> placed.set(Art.FLAT));
            default -> scene.look(style);
        };
    }
}
