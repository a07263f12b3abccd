package darkroom.runtime.base;

import darkroom.config.PictureView;
import java.util.Arrays;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the value of {@code --pictures}. */
public final class PictureViewOption implements ITypeConverter<PictureView> {
    public static final String DESCRIPTION =
            "How picture files are read: displayed (default: orientation, colour profile and"
                    + " transparency applied) or as-stored (as Edit-R1's code reads them).";

    @Override
    public PictureView convert(String value) {
        return Arrays.stream(PictureView.values())
                .filter(view -> view.label().equalsIgnoreCase(value))
                .findFirst()
                .orElseThrow(() -> new TypeConversionException("'" + value + "' is not "
                        + Arrays.stream(PictureView.values())
                                .map(PictureView::label)
                                .collect(Collectors.joining(" or "))));
    }
}
