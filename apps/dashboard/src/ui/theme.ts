import { Button, createTheme, type MantineColorsTuple } from '@mantine/core';

/** One grey from white to black; buttons are ink, not colour. */
const INK: MantineColorsTuple = [
  '#f7f7f9',
  '#ededf1',
  '#d8d8de',
  '#b9bac2',
  '#8e8e9a',
  '#767682',
  '#5c5c66',
  '#3c3c44',
  '#26262c',
  '#17171b',
];

/** Mantine in our measure: 28 px controls, 12 px type, square corners of 4 px. */
export const theme = createTheme({
  primaryColor: 'ink',
  primaryShade: { light: 9, dark: 1 },
  colors: { ink: INK },
  fontFamily: "Inter, ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  fontSizes: { xs: '12px', sm: '13px', md: '13px', lg: '13px', xl: '13px' },
  lineHeights: { xs: '20px', sm: '20px', md: '20px', lg: '20px', xl: '20px' },
  defaultRadius: 4,
  focusRing: 'auto',
  components: {
    // Ink on the page's ground in both schemes; Mantine would choose the text by the light scheme alone.
    Button: Button.extend({
      defaultProps: { size: 'xs' },
      vars: (_, { variant }) => ({
        root:
          variant === undefined
            ? { '--button-bg': 'var(--text)', '--button-color': 'var(--ground)', '--button-hover': 'var(--dim)' }
            : {},
      }),
    }),
    TextInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs', comboboxProps: { shadow: 'md', transitionProps: { duration: 0 } } } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Modal: { defaultProps: { transitionProps: { duration: 0 } } },
    Popover: { defaultProps: { transitionProps: { duration: 0 }, shadow: 'md' } },
  },
});
